package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// go-libp2p-kad-dht adds this to the prefix that it is given.
const protocolSuffix = "/kad/1.0.0"

type options struct {
	protocol, mode, validator string
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected %q", rest[0])
	case !strings.HasPrefix(o.protocol, "/") || !strings.HasSuffix(o.protocol, protocolSuffix):
		return errors.New("--protocol PREFIX" + protocolSuffix + " is needed")
	case o.mode != "client" && o.mode != "server":
		return errors.New("--mode is client or server")
	case o.validator != "test" && o.validator != "pk":
		return errors.New("--validator is test or pk")
	}
	return nil
}

type node struct {
	host host.Host
	dht  *dht.IpfsDHT
}

func start(options options) (*node, error) {
	host, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
	)
	if err != nil {
		return nil, err
	}
	settings := []dht.Option{
		dht.ProtocolPrefix(protocol.ID(strings.TrimSuffix(options.protocol, protocolSuffix))),
		dht.Mode(dht.ModeServer),
	}
	if options.mode == "client" {
		settings = append(settings, dht.Mode(dht.ModeClient))
	}
	if options.validator == "test" { // beside the validator of public keys, which is there by default
		settings = append(settings, dht.NamespacedValidator(testNamespace, testValidator{}))
	}
	table, err := dht.New(host, settings...)
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return &node{host, table}, nil
}

func (n *node) listening() (event, error) {
	var addresses []string
	for _, address := range n.host.Addrs() {
		addresses = append(addresses, address.String()+"/p2p/"+n.host.ID().String())
	}
	key, err := crypto.MarshalPublicKey(n.host.Peerstore().PubKey(n.host.ID()))
	if err != nil {
		return nil, err
	}
	return event{
		"peer":       n.host.ID().String(),
		"addresses":  addresses,
		"public_key": hex.EncodeToString(key),
	}, nil
}

func (n *node) stop() error {
	return errors.Join(n.dht.Close(), n.host.Close())
}
