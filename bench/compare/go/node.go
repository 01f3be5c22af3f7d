package main

import (
	"encoding/binary"
	"io"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const (
	echoProtocol    = "/ggen-bench/echo/1.0.0"
	requestProtocol = "/ggen-bench/request/1.0.0"
	perfProtocol    = "/perf/1.0.0"
	blockSize       = 64 * 1024
	requestSize     = 1024
)

// Listens where told, or nowhere. No resource manager: neither limits nor bookkeeping for them. What
// would speak to others than the one peer is off.
func newNode(addresses ...string) host.Host {
	listen := libp2p.ListenAddrStrings(addresses...)
	if len(addresses) == 0 {
		listen = libp2p.NoListenAddrs
	}
	node, err := libp2p.New(
		listen,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
	check(err)
	return node
}

// Resets the stream of a handler that fails, and finishes it otherwise.
func served(handler func(network.Stream) error) network.StreamHandler {
	return func(stream network.Stream) {
		if handler(stream) != nil {
			_ = stream.Reset()
			return
		}
		_ = stream.Close()
	}
}

func handle(node host.Host) {
	node.SetStreamHandler(echoProtocol, served(echo))
	node.SetStreamHandler(requestProtocol, served(answer))
	node.SetStreamHandler(perfProtocol, served(perf))
}

func echo(stream network.Stream) error {
	block := make([]byte, blockSize)
	for {
		size, err := stream.Read(block)
		if _, failed := stream.Write(block[:size]); failed != nil {
			return failed
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func answer(stream network.Stream) error {
	request, err := io.ReadAll(io.LimitReader(stream, requestSize+1))
	if err != nil {
		return err
	}
	_, err = stream.Write(request)
	return err
}

func perf(stream network.Stream) error {
	header := make([]byte, 8)
	if _, err := io.ReadFull(stream, header); err != nil {
		return err
	}
	if err := discard(stream); err != nil {
		return err
	}
	return sendZeros(stream, binary.BigEndian.Uint64(header))
}

func discard(stream network.Stream) error {
	block := make([]byte, blockSize)
	for {
		if _, err := stream.Read(block); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func sendZeros(stream network.Stream, left uint64) error {
	block := make([]byte, blockSize)
	for left > 0 {
		size := min(left, blockSize)
		if _, err := stream.Write(block[:size]); err != nil {
			return err
		}
		left -= size
	}
	return nil
}
