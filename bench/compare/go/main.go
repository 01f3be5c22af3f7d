// Command go is go-libp2p's peer program. ../README.md defines its command line and its output.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const usage = "usage: go-peer serve | serve-gossip POLICY | CASE ADDRESS NUMBER...; bench/compare/README.md has them\n"

var input = bufio.NewReader(os.Stdin)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-peer:", err)
		os.Exit(1)
	}
}

func fail() {
	fmt.Fprint(os.Stderr, usage)
	os.Exit(2)
}

func waitForLine() { _, _ = input.ReadString('\n') }

func waitForStart() {
	fmt.Println("ready")
	waitForLine()
}

func serve() {
	node := newNode("/ip4/127.0.0.1/tcp/0")
	handle(node)
	fmt.Printf("%s/p2p/%s\n", node.Addrs()[0], node.ID())
	waitForLine()
}

// Runs the case a tenth as long, then waits for the word, runs it whole and tells what came of it.
func measure(run func(scale float64) result) {
	run(0.1)
	waitForStart()
	start := time.Now()
	r := run(1)
	fmt.Printf(`{"seconds": %g`, time.Since(start).Seconds())
	if r.p50 > 0 {
		fmt.Printf(`, "p50": %g, "p99": %g`, r.p50, r.p99)
	}
	fmt.Println("}")
	waitForLine()
}

func main() {
	words := os.Args[1:]
	if len(words) == 1 && words[0] == "serve" {
		serve()
		return
	}
	if len(words) == 2 && words[0] == "serve-gossip" {
		serveGossip(words[1])
		return
	}
	if len(words) < 3 {
		fail()
	}
	server, err := peer.AddrInfoFromString(words[1])
	check(err)
	numbers := []int{}
	for _, word := range words[2:] {
		number, err := strconv.Atoi(word)
		check(err)
		numbers = append(numbers, number)
	}
	run := findCase(words[0], *server, numbers)
	if run == nil {
		fail()
	}
	measure(run)
}
