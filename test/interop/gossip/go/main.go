// A go-libp2p node for the gossipsub matrix. test/interop/gossip/README.md defines its command line, its commands and
// its output.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
)

// A line of output. What a map lacks is left out of the line.
type event map[string]any

// Events come from several goroutines, and a line must not be torn.
var output sync.Mutex

func emit(name string, fields event) {
	fields["event"] = name
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

// Answers each line of the standard input with one line, until the input ends.
func serve(node *node) error {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		fields, err := node.run(strings.Fields(input.Text()))
		if err != nil {
			fields = event{"reason": err.Error()}
		}
		fields["ok"] = err == nil
		emit("reply", fields)
	}
	return input.Err()
}

func run(options options) error {
	node, err := start(options)
	if err != nil {
		return err
	}
	emit("listening", node.listening())
	return errors.Join(serve(node), node.stop())
}

func main() {
	var options options
	flag.StringVar(&options.protocol, "protocol", "", "the only protocol id that is offered")
	flag.StringVar(&options.mesh, "mesh", "active", "active or passive")
	flag.UintVar(&options.backoff, "backoff", 60, "seconds that those whom this node prunes must wait")
	flag.StringVar(&options.px, "px", "no", "yes or no")
	flag.Parse()
	if err := options.check(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gossip-peer:", err)
		os.Exit(2)
	}
	if err := run(options); err != nil {
		fmt.Fprintln(os.Stderr, "gossip-peer:", err)
		os.Exit(1)
	}
}
