// Command answers measures how fast go-libp2p-kad-dht encodes and decodes an answer of 20 peers, for the table of
// bench/compare, whose README defines its command line and its output.
package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"
	"google.golang.org/protobuf/proto"
)

const peers = 20

var input = bufio.NewReader(os.Stdin)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "answers:", err)
		os.Exit(1)
	}
}

func numbered(number int) []byte {
	digest := sha256.Sum256(fmt.Appendf(nil, "number %d", number))
	hash, err := multihash.Encode(digest[:], multihash.SHA2_256)
	check(err)
	return hash
}

// The same peers, with the same addresses, as in bench/compare/dht.cpp.
func fullAnswer() []peer.AddrInfo {
	infos := make([]peer.AddrInfo, 0, peers)
	for i := range peers {
		info := peer.AddrInfo{ID: peer.ID(numbered(i))}
		for _, form := range []string{
			"/ip4/10.0.0.%d/tcp/4001", "/ip4/10.0.0.%d/udp/4001/quic-v1",
			"/ip6/2001:db8::%d/tcp/4001", "/ip6/2001:db8::%d/udp/4001/quic-v1",
		} {
			address, err := multiaddr.NewMultiaddr(fmt.Sprintf(form, i))
			check(err)
			info.Addrs = append(info.Addrs, address)
		}
		infos = append(infos, info)
	}
	return infos
}

func encodeAndDecode(infos []peer.AddrInfo, key []byte, count int) {
	for range count {
		answer := pb.Message{Type: pb.Message_FIND_NODE, Key: key, CloserPeers: pb.RawPeerInfosToPBPeers(infos)}
		bytes, err := proto.Marshal(&answer)
		check(err)
		var decoded pb.Message
		check(proto.Unmarshal(bytes, &decoded))
		if len(pb.PBPeersToPeerInfos(decoded.GetCloserPeers())) != peers {
			check(errors.New("an answer came back otherwise"))
		}
	}
}

func main() {
	if len(os.Args) != 3 || os.Args[1] != "answers" {
		fmt.Fprintln(os.Stderr, "usage: answers answers COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	check(err)
	infos, key := fullAnswer(), numbered(0)
	encodeAndDecode(infos, key, count/10)
	fmt.Println("ready")
	_, _ = input.ReadString('\n')
	start := time.Now()
	encodeAndDecode(infos, key, count)
	fmt.Printf("{\"seconds\": %g}\n", time.Since(start).Seconds())
	_, _ = input.ReadString('\n')
}
