package main

import (
	"fmt"
	"os"
	"sync/atomic"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Sees what the router does, and tells of it what the matrix must know.
type tracer struct {
	inMesh    map[link]bool // only the router's own goroutine looks at it
	idontwant atomic.Int64  // message ids that came in IDONTWANTs
}

type link struct{ peer, topic string }

func newTracer() *tracer { return &tracer{inMesh: map[link]bool{}} }

func (t *tracer) Trace(trace *pb.TraceEvent) {
	switch trace.GetType() {
	case pb.TraceEvent_GRAFT:
		t.setMesh(trace.GetGraft().GetPeerID(), trace.GetGraft().GetTopic(), true)
	case pb.TraceEvent_PRUNE:
		t.setMesh(trace.GetPrune().GetPeerID(), trace.GetPrune().GetTopic(), false)
	case pb.TraceEvent_RECV_RPC:
		for _, unwanted := range trace.GetRecvRPC().GetMeta().GetControl().GetIdontwant() {
			t.idontwant.Add(int64(len(unwanted.GetMessageIDs())))
		}
	case pb.TraceEvent_DROP_RPC, pb.TraceEvent_REJECT_MESSAGE: // for whoever reads the log of a case that failed
		fmt.Fprintln(os.Stderr, trace)
	}
}

// The router also tells of a PRUNE from a peer that was not in the mesh.
func (t *tracer) setMesh(id []byte, topic string, present bool) {
	link := link{peer.ID(id).String(), topic}
	if t.inMesh[link] == present {
		return
	}
	t.inMesh[link] = present
	name := "pruned"
	if present {
		name = "grafted"
	}
	emit(name, event{"peer": link.peer, "topic": topic})
}
