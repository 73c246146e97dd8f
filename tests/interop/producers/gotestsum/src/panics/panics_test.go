package panics

import "testing"

func TestBefore(t *testing.T) {}

func TestPanics(t *testing.T) {
	panic("a <panic>")
}

func TestNeverRuns(t *testing.T) {}
