package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
)

var errAnswer = errors.New("an answer is not what was asked for")

// What a case tells besides how long it took, in seconds.
type result struct{ p50, p99 float64 }

// The case that these words ask for, ready to be run at any scale, or nil.
func findCase(name string, server peer.AddrInfo, numbers []int) func(scale float64) result {
	type key struct {
		name  string
		count int
	}
	switch (key{name, len(numbers)}) {
	case key{"upload", 2}, key{"download", 2}:
		node := dialled(server)
		return func(scale float64) result {
			each := uint64(scale * float64(numbers[1]/numbers[0]))
			sideBySide(numbers[0], func() { transfer(node, server.ID, name == "upload", each) })
			return result{}
		}
	case key{"roundtrip", 1}:
		node := dialled(server)
		return func(scale float64) result {
			return roundTrips(node, server.ID, int(scale*float64(numbers[0])))
		}
	case key{"requests", 2}:
		node := dialled(server)
		return func(scale float64) result {
			each := int(scale*float64(numbers[0])) / numbers[1]
			sideBySide(numbers[1], func() { requests(node, server.ID, each) })
			return result{}
		}
	case key{"connect", 2}:
		return func(scale float64) result {
			each := int(scale*float64(numbers[0])) / numbers[1]
			sideBySide(numbers[1], func() { comeAndGo(server, each) })
			return result{}
		}
	}
	return nil
}

func dialled(server peer.AddrInfo) host.Host {
	node := newNode()
	check(node.Connect(context.Background(), server))
	return node
}

func sideBySide(width int, task func()) {
	var all sync.WaitGroup
	for range width {
		all.Go(task)
	}
	all.Wait()
}

func open(node host.Host, server peer.ID, name protocol.ID) network.Stream {
	stream, err := node.NewStream(context.Background(), server, name)
	check(err)
	return stream
}

func transfer(node host.Host, server peer.ID, up bool, size uint64) {
	stream := open(node, server, perfProtocol)
	var sent, wanted uint64 = size, 0
	if !up {
		sent, wanted = 0, size
	}
	_, err := stream.Write(binary.BigEndian.AppendUint64(nil, wanted))
	check(err)
	check(sendZeros(stream, sent))
	check(stream.CloseWrite())
	got, err := countBytes(stream)
	check(err)
	if got != wanted {
		check(errAnswer)
	}
	check(stream.Close())
}

func countBytes(stream network.Stream) (uint64, error) {
	block := make([]byte, blockSize)
	var total uint64
	for {
		size, err := stream.Read(block)
		total += uint64(size)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// One byte there and back on one stream, `count` times.
func roundTrips(node host.Host, server peer.ID, count int) result {
	stream := open(node, server, echoProtocol)
	block := make([]byte, 1)
	times := make([]float64, count)
	for i := range times {
		start := time.Now()
		_, err := stream.Write(block)
		check(err)
		_, err = io.ReadFull(stream, block)
		check(err)
		times[i] = time.Since(start).Seconds()
	}
	check(stream.Close())
	slices.Sort(times)
	at := func(q float64) float64 { return times[int(q*float64(count-1)+0.5)] }
	return result{at(0.5), at(0.99)}
}

func requests(node host.Host, server peer.ID, count int) {
	request := make([]byte, requestSize)
	for range count {
		stream := open(node, server, requestProtocol)
		_, err := stream.Write(request)
		check(err)
		check(stream.CloseWrite())
		answer, err := io.ReadAll(stream)
		check(err)
		if len(answer) != requestSize {
			check(errAnswer)
		}
		check(stream.Close())
	}
}

// Each connection is new down to its TCP handshake, and closed once its first byte has come back.
func comeAndGo(server peer.AddrInfo, count int) {
	node := newNode()
	node.Peerstore().AddAddrs(server.ID, server.Addrs, peerstore.PermanentAddrTTL)
	for range count {
		check(node.Connect(context.Background(), server))
		roundTrips(node, server.ID, 1)
		check(node.Network().ClosePeer(server.ID))
	}
	check(node.Close())
}
