package main

import (
	"context"
	"fmt"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

const (
	gossipTopic = "ggen-bench"
	idSize      = 8
)

var signaturePolicies = map[string][]pubsub.Option{
	"signed": {pubsub.WithMessageSignaturePolicy(pubsub.StrictSign)},
	"unsigned": {
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithMessageIdFn(func(message *pb.Message) string {
			return string(message.Data[:min(idSize, len(message.Data))])
		}),
	},
}

// A router in the topic, which has nothing to do with its messages but to pass them on.
func serveGossip(policy string) {
	options, known := signaturePolicies[policy]
	if !known {
		fail()
	}
	node := newNode("/ip4/127.0.0.1/tcp/0")
	router, err := pubsub.NewGossipSub(context.Background(), node, options...)
	check(err)
	topic, err := router.Join(gossipTopic)
	check(err)
	subscription, err := topic.Subscribe()
	check(err)
	go func() {
		for {
			_, err := subscription.Next(context.Background())
			check(err)
		}
	}()
	fmt.Printf("%s/p2p/%s\n", node.Addrs()[0], node.ID())
	waitForLine()
}
