<?php
use PHPUnit\Framework\TestCase;

final class BasicTest extends TestCase
{
    const MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line";

    public function testPasses(): void
    {
        $this->assertTrue(true);
    }

    public function testWritesOutput(): void
    {
        echo "to stdout \"<&>\" ]]> ünïcödé 🦀\n";
        $this->assertTrue(true);
    }

    public function testFails(): void
    {
        $this->fail(self::MESSAGE);
    }

    public function testFailsToCompare(): void
    {
        $this->assertSame(['key' => '<1>'], ['key' => '<2>'], 'a <message>');
    }

    public function testThrows(): void
    {
        throw new RuntimeException(self::MESSAGE);
    }

    public function testWarns(): void
    {
        trigger_error('a <warning>', E_USER_WARNING);
    }

    public function testIsRisky(): void
    {
    }

    public function testIsSkipped(): void
    {
        $this->markTestSkipped('skipped with "quotes" <&> 🦀');
    }

    public function testIsIncomplete(): void
    {
        $this->markTestIncomplete('incomplete <&>');
    }

    /** @depends testFails */
    public function testDependsOnAFailure(): void
    {
    }

    public function numbers(): array
    {
        return [[1], [2], [3]];
    }

    /** @dataProvider numbers */
    public function testParameter(int $n): void
    {
        $this->assertNotSame(2, $n);
    }

    public function odd(): array
    {
        return ['[a/b::c]' => [1], '🦀 "quoted" \'single\' <&>' => [2], "line\nbreak" => [3]];
    }

    /** @dataProvider odd */
    public function testOdd(int $n): void
    {
        $this->assertGreaterThan(0, $n);
    }
}
