<?php
namespace Demo\Nested;

use PHPUnit\Framework\TestCase;

final class BrokenNestedTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        throw new \RuntimeException('setUpBeforeClass <broken>');
    }

    public function testNeverRuns(): void
    {
    }
}
