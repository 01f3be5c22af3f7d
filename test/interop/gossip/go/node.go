package main

import (
	"context"
	"errors"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// Room for what comes while the machine is busy. With the library's 32, messages are dropped.
const queueSize = 4096

type node struct {
	host          host.Host
	pubsub        *pubsub.PubSub
	tracer        *tracer
	topics        map[string]*pubsub.Topic
	subscriptions map[string]*joined
	cancel        context.CancelFunc
}

// A subscription, and what is closed when nothing more comes of it.
type joined struct {
	subscription *pubsub.Subscription
	ended        chan struct{}
}

func newHost() (host.Host, error) {
	return libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
	)
}

func start(options options) (*node, error) {
	host, err := newHost()
	if err != nil {
		return nil, err
	}
	host.Network().Notify(&network.NotifyBundle{ConnectedF: func(_ network.Network, connection network.Conn) {
		outbound := connection.Stat().Direction == network.DirOutbound
		emit("connected", event{"peer": connection.RemotePeer().String(), "outbound": outbound})
	}})
	options.setDefaults()
	tracer := newTracer()
	ctx, cancel := context.WithCancel(context.Background())
	// Peers are not scored, and so not for the address that all of them share here.
	service, err := pubsub.NewGossipSub(ctx, host,
		pubsub.WithGossipSubProtocols([]protocol.ID{protocol.ID(options.protocol)}, pubsub.GossipSubDefaultFeatures),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithPeerExchange(options.px == "yes"),
		pubsub.WithPeerOutboundQueueSize(queueSize),
		pubsub.WithValidateQueueSize(queueSize),
		pubsub.WithEventTracer(tracer),
	)
	if err != nil {
		cancel()
		return nil, errors.Join(err, host.Close())
	}
	return &node{host, service, tracer, map[string]*pubsub.Topic{}, map[string]*joined{}, cancel}, nil
}

func (n *node) listening() event {
	var addresses []string
	for _, address := range n.host.Addrs() {
		addresses = append(addresses, address.String()+"/p2p/"+n.host.ID().String())
	}
	return event{"peer": n.host.ID().String(), "addresses": addresses}
}

func (n *node) stop() error {
	n.cancel()
	return n.host.Close()
}
