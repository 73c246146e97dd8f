package demo;

import static org.junit.Assert.*;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.junit.FixMethodOrder;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.MethodSorters;
import org.junit.runners.Parameterized;

@FixMethodOrder(MethodSorters.NAME_ASCENDING)
@RunWith(Parameterized.class)
public class FlakyTest {
    @Parameterized.Parameters(name = "{0}")
    public static Iterable<String> parameters() {
        return Arrays.asList("1", "2");
    }

    @Parameterized.Parameter
    public String parameter;

    static int attempt(String name) throws IOException {
        Path path = Paths.get(name + ".count");
        int n = Files.exists(path) ? Integer.parseInt(new String(Files.readAllBytes(path))) + 1 : 1;
        Files.write(path, Integer.toString(n).getBytes());
        return n;
    }

    @Test
    public void flakyFailure() throws IOException {
        int n = attempt("failure" + parameter);
        System.out.println("attempt " + n);
        assertNotEquals("first attempt \"fails\" <&>", 1, n);
    }

    @Test
    public void flakyError() throws IOException {
        if (attempt("error" + parameter) == 1) throw new IllegalStateException("first attempt <fails>");
    }

    @Test
    public void alwaysFails() throws IOException {
        int n = attempt("always" + parameter);
        System.out.println("attempt " + n);
        fail("attempt " + n + " <fails>");
    }

    @Test
    public void failsThenErrors() throws IOException {
        int n = attempt("both" + parameter);
        if (n > 1) throw new IllegalStateException("attempt " + n + " <fails>");
        fail("attempt " + n);
    }

    @Test
    public void passes() {}
}
