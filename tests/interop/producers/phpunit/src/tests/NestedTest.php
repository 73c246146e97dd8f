<?php
namespace Demo\Nested;

use PHPUnit\Framework\TestCase;

final class NestedTest extends TestCase
{
    public function testNested(): void
    {
        $this->assertTrue(true);
    }
}
