package demo;

import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.*;

@TestMethodOrder(MethodOrderer.MethodName.class)
class ControlTest {
    @Test
    void fails() {
        fail("\u001b[31mred\u001b[0m nul:\u0000 bell:\u0007 ]]> end");
    }

    @Test
    void passes() {}

}
