package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// No command takes longer.
const commandSeconds = 20

type command struct {
	words int // behind the command's name
	run   func(n *node, ctx context.Context, words []string) (event, error)
}

var commands = map[string]command{
	"connect":     {1, (*node).connect},
	"subscribe":   {1, (*node).subscribe},
	"unsubscribe": {1, (*node).unsubscribe},
	"publish":     {2, (*node).publish},
	"counts":      {0, (*node).counts},
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

// The library lets a topic be joined once only.
func (n *node) topic(name string) (*pubsub.Topic, error) {
	if topic, joined := n.topics[name]; joined {
		return topic, nil
	}
	topic, err := n.pubsub.Join(name)
	if err == nil {
		n.topics[name] = topic
	}
	return topic, err
}

func (n *node) subscribe(_ context.Context, words []string) (event, error) {
	if n.subscriptions[words[0]] != nil {
		return event{}, nil
	}
	topic, err := n.topic(words[0])
	if err != nil {
		return nil, err
	}
	subscription, err := topic.Subscribe(pubsub.WithBufferSize(queueSize))
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	n.subscriptions[words[0]] = &joined{subscription, ended}
	go func() {
		defer close(ended)
		receive(subscription)
	}()
	return event{}, nil
}

// Tells of each message of others until the subscription ends.
func receive(subscription *pubsub.Subscription) {
	for {
		message, err := subscription.Next(context.Background())
		if err != nil {
			return
		}
		if message.Local {
			continue
		}
		hash := sha256.Sum256(message.Data)
		emit("message", event{
			"topic":  message.GetTopic(),
			"author": message.GetFrom().String(),
			"size":   len(message.Data),
			"sha256": hex.EncodeToString(hash[:]),
		})
	}
}

// Waits until the library has left the topic, for it may otherwise see a new subscription before the end of this one.
func (n *node) unsubscribe(ctx context.Context, words []string) (event, error) {
	joined := n.subscriptions[words[0]]
	if joined == nil {
		return event{}, nil
	}
	delete(n.subscriptions, words[0])
	joined.subscription.Cancel()
	select {
	case <-joined.ended:
		return event{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *node) publish(ctx context.Context, words []string) (event, error) {
	topic, err := n.topic(words[0])
	if err != nil {
		return nil, err
	}
	data, err := hex.DecodeString(words[1])
	if err != nil {
		return nil, err
	}
	return event{}, topic.Publish(ctx, data)
}

func (n *node) counts(context.Context, []string) (event, error) {
	return event{"idontwant": n.tracer.idontwant.Load()}, nil
}
