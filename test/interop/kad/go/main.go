// A go-libp2p node for the Kademlia matrix. test/interop/kad/README.md defines its command line, its commands and its
// output.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

// A line of output. What a map lacks is left out of the line.
type event map[string]any

func emit(name string, fields event) {
	fields["event"] = name
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
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
	listening, err := node.listening()
	if err != nil {
		return err
	}
	emit("listening", listening)
	return errors.Join(serve(node), node.stop())
}

func main() {
	var options options
	flag.StringVar(&options.protocol, "protocol", "", "protocol id, which ends in "+protocolSuffix)
	flag.StringVar(&options.mode, "mode", "server", "client or server")
	flag.StringVar(&options.validator, "validator", "pk", "test or pk")
	flag.Parse()
	if err := options.check(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "kad-peer:", err)
		os.Exit(2)
	}
	if err := run(options); err != nil {
		fmt.Fprintln(os.Stderr, "kad-peer:", err)
		os.Exit(1)
	}
}
