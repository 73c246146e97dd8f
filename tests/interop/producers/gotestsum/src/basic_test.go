package demo

import (
	"fmt"
	"os"
	"testing"
)

func TestPasses(t *testing.T) {}

func TestWritesOutput(t *testing.T) {
	fmt.Println(`to stdout "<&>" ]]> ünïcödé 🦀`)
	fmt.Fprintln(os.Stderr, "to stderr <&>")
	t.Log("a log <&>")
}

func TestFails(t *testing.T) {
	t.Error("expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line")
	t.Error("another failure")
}

func TestControlCharacters(t *testing.T) {
	t.Error("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 latin-1:\xfc end")
}

func TestIsSkipped(t *testing.T) {
	t.Skip(`skipped with "quotes" <&> 🦀`)
}

func TestParameter(t *testing.T) {
	for _, name := range []string{"1", "2", "3", "[a/b::c]", `🦀 "quoted" 'single' <&>`, "with a space"} {
		name := name
		t.Run(name, func(t *testing.T) {
			if name == "2" {
				t.Fatal("is two")
			}
		})
	}
}

func TestOuter(t *testing.T) {
	t.Run("inner", func(t *testing.T) {
		t.Run("nested", func(t *testing.T) {})
	})
}

func ExamplePrints() {
	fmt.Println("one")
	// Output: two
}
