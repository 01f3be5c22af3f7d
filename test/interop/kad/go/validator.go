package main

import (
	"errors"
	"regexp"
	"strconv"
)

const testNamespace = "ggen-interop"

// SEQUENCE:TEXT, see README.md.
var testValue = regexp.MustCompile(`^(0|[1-9][0-9]{0,8}):(?s:.*)$`)

type testValidator struct{}

func (testValidator) Validate(_ string, value []byte) error {
	if !testValue.Match(value) {
		return errors.New("not SEQUENCE:TEXT")
	}
	return nil
}

func sequence(value []byte) int {
	number, _ := strconv.Atoi(string(testValue.FindSubmatch(value)[1]))
	return number
}

// The first of the highest sequence: of equal ones the first stays.
func (testValidator) Select(_ string, values [][]byte) (int, error) {
	best := 0
	for i, value := range values {
		if sequence(value) > sequence(values[best]) {
			best = i
		}
	}
	return best, nil
}
