package flaky

import (
	"os"
	"strconv"
	"testing"
)

func attempt(name string) int {
	data, _ := os.ReadFile(name + ".count")
	n, _ := strconv.Atoi(string(data))
	n++
	if err := os.WriteFile(name+".count", []byte(strconv.Itoa(n)), 0o666); err != nil {
		panic(err)
	}
	return n
}

func TestFlaky(t *testing.T) {
	if attempt("flaky") == 1 {
		t.Fatal(`first attempt "fails" <&>`)
	}
}

func TestAlwaysFails(t *testing.T) {
	t.Fatalf("attempt %d <fails>", attempt("always"))
}

func TestPasses(t *testing.T) {}
