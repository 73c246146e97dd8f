<?php
use PHPUnit\Framework\TestCase;

final class ControlTest extends TestCase
{
    public function testPasses(): void
    {
        $this->assertTrue(true);
    }

    public function testFails(): void
    {
        $this->fail("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end");
    }

    public function testFailsWithBytesThatAreNotUtf8(): void
    {
        $this->fail("latin-1: \xfc end");
    }
}
