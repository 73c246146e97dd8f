package demo;

import org.junit.BeforeClass;
import org.junit.Test;

public class BrokenTest {
    @BeforeClass
    public static void setUpClass() {
        throw new IllegalStateException("setUpClass <broken>");
    }

    @Test
    public void neverRuns() {}
}
