package demo;

import static org.junit.Assert.*;
import static org.junit.Assume.assumeTrue;

import org.junit.FixMethodOrder;
import org.junit.Ignore;
import org.junit.Test;
import org.junit.runners.MethodSorters;

@FixMethodOrder(MethodSorters.NAME_ASCENDING)
public class BasicTest {
    static final String MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line";

    @Test
    public void passes() {}

    @Test
    public void writesOutput() {
        System.out.println("to stdout \"<&>\" ]]> ünïcödé 🦀");
        System.err.println("to stderr <&>");
    }

    @Test
    public void controlCharacters() {
        fail("\u001b[31mred\u001b[0m nul:\u0000 bell:\u0007 end");
    }

    @Test
    public void fails() {
        fail(MESSAGE);
    }

    @Test
    public void failsToCompare() {
        assertEquals("<1>", "<2>");
    }

    @Test
    public void throwsAnException() {
        throw new IllegalStateException(MESSAGE);
    }

    @Test
    @Ignore("skipped with \"quotes\" <&> 🦀")
    public void isIgnored() {}

    @Test
    public void isAssumed() {
        assumeTrue("assumed <&>", false);
    }
}
