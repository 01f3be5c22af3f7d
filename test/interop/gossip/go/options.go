package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/protocol"
)

type options struct {
	protocol, mesh, px string
	backoff            uint
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected %q", rest[0])
	case !slices.Contains(pubsub.GossipSubDefaultProtocols, protocol.ID(o.protocol)):
		return errors.New("--protocol is one of gossipsub's protocol ids")
	case o.mesh != "active" && o.mesh != "passive":
		return errors.New("--mesh is active or passive")
	case o.backoff == 0:
		return errors.New("--backoff is at least one second")
	case o.px != "yes" && o.px != "no":
		return errors.New("--px is yes or no")
	}
	return nil
}

// Sets what the library takes as its defaults. As parameters of a router it would refuse those of a passive mesh.
func (o options) setDefaults() {
	pubsub.GossipSubPruneBackoff = time.Duration(o.backoff) * time.Second
	pubsub.GossipSubUnsubscribeBackoff = pubsub.GossipSubPruneBackoff
	if o.mesh == "passive" {
		pubsub.GossipSubD, pubsub.GossipSubDlo, pubsub.GossipSubDout = 0, 0, 0
	}
}
