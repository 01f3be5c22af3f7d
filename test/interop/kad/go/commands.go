package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"
)

// No command takes longer.
const commandSeconds = 20

type command struct {
	words int // behind the command's name
	run   func(n *node, ctx context.Context, words []string) (event, error)
}

var commands = map[string]command{
	"connect":        {1, (*node).connect},
	"refresh":        {0, (*node).refresh},
	"table":          {0, (*node).table},
	"find-peer":      {1, (*node).findPeer},
	"provide":        {1, (*node).provide},
	"find-providers": {2, (*node).findProviders},
	"put":            {2, (*node).put},
	"get":            {1, (*node).get},
}

func (n *node) run(words []string) (event, error) {
	if len(words) == 0 {
		return nil, errors.New("an empty line is no command")
	}
	command, known := commands[words[0]]
	if !known || command.words != len(words)-1 {
		return nil, fmt.Errorf("unknown command %q with %d words", words[0], len(words)-1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandSeconds*time.Second)
	defer cancel()
	return command.run(n, ctx, words[1:])
}

func (n *node) connect(ctx context.Context, words []string) (event, error) {
	remote, err := peer.AddrInfoFromString(words[0])
	if err != nil {
		return nil, err
	}
	return event{}, n.host.Connect(ctx, *remote)
}

func (n *node) refresh(ctx context.Context, _ []string) (event, error) {
	select {
	case err := <-n.dht.ForceRefresh():
		return event{}, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *node) table(context.Context, []string) (event, error) {
	peers := []string{}
	for _, id := range n.dht.RoutingTable().ListPeers() {
		peers = append(peers, id.String())
	}
	return event{"peers": peers}, nil
}

func addresses(info peer.AddrInfo) []string {
	texts := []string{}
	for _, address := range info.Addrs {
		texts = append(texts, address.String())
	}
	return texts
}

func (n *node) findPeer(ctx context.Context, words []string) (event, error) {
	id, err := peer.Decode(words[0])
	if err != nil {
		return nil, err
	}
	info, err := n.dht.FindPeer(ctx, id)
	return event{"addresses": addresses(info)}, err
}

// A CID of the multihash in hexadecimal: all that the table looks at is the multihash.
func contentID(text string) (cid.Cid, error) {
	hash, err := multihash.FromHexString(text)
	return cid.NewCidV1(cid.Raw, hash), err
}

func (n *node) provide(ctx context.Context, words []string) (event, error) {
	id, err := contentID(words[0])
	if err != nil {
		return nil, err
	}
	return event{}, n.dht.Provide(ctx, id, true)
}

func (n *node) findProviders(ctx context.Context, words []string) (event, error) {
	id, err := contentID(words[0])
	if err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, err
	}
	// The same provider may come twice: first without addresses, then with them.
	byPeer := map[peer.ID]peer.AddrInfo{}
	for info := range n.dht.FindProvidersAsync(ctx, id, count) {
		byPeer[info.ID] = info
	}
	providers := []event{}
	for id, info := range byPeer {
		providers = append(providers, event{"peer": id.String(), "addresses": addresses(info)})
	}
	return event{"providers": providers}, ctx.Err()
}

func (n *node) put(ctx context.Context, words []string) (event, error) {
	key, err := hex.DecodeString(words[0])
	if err != nil {
		return nil, err
	}
	value, err := hex.DecodeString(words[1])
	if err != nil {
		return nil, err
	}
	return event{}, n.dht.PutValue(ctx, string(key), value)
}

func (n *node) get(ctx context.Context, words []string) (event, error) {
	key, err := hex.DecodeString(words[0])
	if err != nil {
		return nil, err
	}
	value, err := n.dht.GetValue(ctx, string(key))
	return event{"value": hex.EncodeToString(value)}, err
}
