package demo;

import static org.junit.jupiter.api.Assertions.*;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.*;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestMethodOrder(MethodOrderer.MethodName.class)
@DisplayName("Basic \"tests\" <&>")
class BasicTest {
    static final String MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line";

    @Test
    void passes() {}

    @Test
    void writesOutput(TestReporter reporter) {
        System.out.println("to stdout \"<&>\" ünïcödé 🦀");
        System.err.println("to stderr <&>");
        reporter.publishEntry("owner", "team <&>");
    }

    @Test
    void fails() {
        fail(MESSAGE);
    }

    @Test
    void failsToCompare() {
        assertEquals("<1>", "<2>", "a message");
    }

    @Test
    void throwsAnException() {
        throw new IllegalStateException(MESSAGE);
    }

    @Test
    @Disabled("skipped with \"quotes\" <&> 🦀")
    void isDisabled() {}

    @Test
    void isAborted() {
        assumeTrue(false, "assumed <&>");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void parameter(int n) {
        assertNotEquals(2, n);
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"[a/b::c]", "🦀 \"quoted\" 'single' <&>"})
    void odd(String value) {}

    @RepeatedTest(2)
    void repeated() {}

    @Nested
    class Inner {
        @Test
        void nested() {}
    }

    @Nested
    class Broken {
        @BeforeEach
        void setUp() {
            throw new IllegalStateException("setUp <broken>");
        }

        @Test
        void neverRuns() {}
    }
}
