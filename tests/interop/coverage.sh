#!/usr/bin/env bash
# Makes the reports of fixtures/supply/coverage with the real tools, and prints each tool's own totals beside what `coverage` reads of them.
#
# Usage: tests/interop/coverage.sh FOLDER    (reports and logs go there)
# Needs: python3 with coverage, npm packages nyc and c8 (NODE_MODULES names their folder), go, gcc with lcov and gcovr, clang with llvm-cov,
# ruby with simplecov, php with pcov or xdebug and phpunit, java with JaCoCo's jars (Debian: libjacoco-java). What is missing is left out and said.
set -euo pipefail

out=$(mkdir -p "${1:?usage: coverage.sh FOLDER}" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '%s\n' "$*"; }
has() { command -v "$1" >/dev/null || { say "skipped: there is no $1"; return 1; }; }

python_project() {
    mkdir -p "$work/py/src/shop" && cd "$work/py"
    printf 'def total(prices, discount=0):\n    result = 0\n    for price in prices:\n        if price < 0:\n            raise ValueError("below nothing")\n        result += price\n    if discount:\n        result -= result * discount // 100\n    return result\n\n\ndef unused():\n    return 1\n' >src/shop/cart.py
    printf '' >src/shop/__init__.py
    printf 'import sys\nsys.path.insert(0, "src")\nfrom shop.cart import total\nassert total([1, 2]) == 3\n' >run.py
    "${PYTHON:-python3}" -m coverage run --branch --source=src run.py
    "${PYTHON:-python3}" -m coverage json -q -o "$out/coverage-py.json"
    "${PYTHON:-python3}" -m coverage xml -q -o "$out/coverage-py.cobertura.xml"
    "${PYTHON:-python3}" -m coverage lcov -q -o "$out/coverage-py.info"
    say "coverage.py: $("${PYTHON:-python3}" -m coverage report | tail -n 1)"
}

node_project() {
    mkdir -p "$work/js/lib" && cd "$work/js"
    printf 'function total(prices, discount) {\n  let result = 0;\n  for (const price of prices) {\n    if (price < 0) {\n      throw new Error("below nothing");\n    }\n    result += price;\n  }\n  return discount ? result - discount : result;\n}\n\nfunction unused() {\n  return 1;\n}\n\nmodule.exports = { total, unused };\n' >lib/cart.js
    printf '{"name": "shop", "version": "1.0.0"}\n' >package.json
    printf 'const { total } = require("./lib/cart");\nif (total([1, 2]) !== 3) process.exit(1);\n' >run.js
    "$NODE_MODULES/.bin/nyc" --reporter=lcovonly --reporter=clover --reporter=cobertura --reporter=text-summary --include 'lib/**' node run.js
    cp coverage/lcov.info "$out/nyc.info" && cp coverage/clover.xml "$out/nyc.clover.xml" && cp coverage/cobertura-coverage.xml "$out/nyc.cobertura.xml"
    rm -rf coverage
    "$NODE_MODULES/.bin/c8" --reporter=lcovonly --reporter=text-summary --include 'lib/**' node run.js
    cp coverage/lcov.info "$out/c8.info"
}

go_project() {
    mkdir -p "$work/go/cart" && cd "$work/go"
    printf 'module example.org/shop\n\ngo 1.19\n' >go.mod
    printf 'package cart\n\nimport "errors"\n\n// Total adds prices up.\nfunc Total(prices []int, discount int) (int, error) {\n\tresult := 0\n\tfor _, price := range prices {\n\t\tif price < 0 {\n\t\t\treturn 0, errors.New("below nothing")\n\t\t}\n\t\tresult += price\n\t}\n\tif discount > 0 {\n\t\tresult -= discount\n\t}\n\treturn result, nil\n}\n\nfunc unused() int {\n\treturn 1\n}\n' >cart/cart.go
    printf 'package cart\n\nimport "testing"\n\nfunc TestTotal(t *testing.T) {\n\tif got, err := Total([]int{1, 2}, 0); got != 3 || err != nil {\n\t\tt.Fatal(got, err)\n\t}\n}\n' >cart/cart_test.go
    GOFLAGS=-mod=mod go test -covermode=count -coverprofile="$out/go.coverprofile" ./... >/dev/null
    say "go: $(go tool cover -func="$out/go.coverprofile" | tail -n 1)"
}

c_sources() {
    mkdir -p "$1/src" && cd "$1"
    printf '#include "cart.h"\n\nint total(const int *prices, int many, int discount) {\n    int result = 0;\n    for (int at = 0; at < many; at++) {\n        if (prices[at] < 0) {\n            return -1;\n        }\n        result += prices[at];\n    }\n    if (discount > 0) {\n        result -= discount;\n    }\n    return result;\n}\n\nint unused(void) {\n    return 1;\n}\n' >src/cart.c
    printf 'int total(const int *prices, int many, int discount);\nint unused(void);\n' >src/cart.h
    printf '#include "cart.h"\n\nint main(void) {\n    int prices[] = {1, 2};\n    return total(prices, 2, 0) == 3 ? 0 : 1;\n}\n' >src/main.c
}

gcc_project() {
    c_sources "$work/c"
    gcc --coverage -O0 -o shop src/cart.c src/main.c && ./shop
    lcov --quiet --capture --directory . --output-file "$out/lcov.info"
    say "lcov: $(lcov --summary "$out/lcov.info" 2>&1 | grep lines)"
    gcovr --root . --xml "$out/gcovr.cobertura.xml" --print-summary | grep '^lines'
}

clang_project() {
    c_sources "$work/clang"
    clang -fprofile-instr-generate -fcoverage-mapping -o shop src/cart.c src/main.c
    LLVM_PROFILE_FILE=shop.profraw ./shop
    llvm-profdata merge -o shop.profdata shop.profraw
    llvm-cov export ./shop -instr-profile=shop.profdata >"$out/llvm-cov.json"
    llvm-cov export ./shop -instr-profile=shop.profdata -format=lcov >"$out/llvm-cov.info"
    say "llvm-cov: $(llvm-cov report ./shop -instr-profile=shop.profdata | tail -n 1)"
}

ruby_project() {
    mkdir -p "$work/rb/lib" && cd "$work/rb"
    printf 'def total(prices, discount = 0)\n  result = 0\n  prices.each do |price|\n    raise ArgumentError, "below nothing" if price < 0\n    result += price\n  end\n  if discount > 0\n    result -= discount\n  end\n  result\nend\n\ndef unused\n  1\nend\n' >lib/cart.rb
    for branches in no yes; do
        rm -rf coverage
        printf 'require "simplecov"\nSimpleCov.formatter = SimpleCov::Formatter::SimpleFormatter\nSimpleCov.start { %s }\nrequire_relative "lib/cart"\nexit 1 unless total([1, 2]) == 3\n' "$([ "$branches" = yes ] && echo 'enable_coverage :branch')" >run.rb
        ruby run.rb
        [ "$branches" = yes ] && cp coverage/.resultset.json "$out/simplecov-branches.resultset.json" || cp coverage/.resultset.json "$out/simplecov.resultset.json"
    done
    say "simplecov: $(cat coverage/.last_run.json | tr -d '\n ')"
}

php_project() {
    mkdir -p "$work/php/src" "$work/php/tests" && cd "$work/php"
    printf '<?php\nfunction total(array $prices, int $discount = 0): int\n{\n    $result = 0;\n    foreach ($prices as $price) {\n        if ($price < 0) {\n            throw new InvalidArgumentException("below nothing");\n        }\n        $result += $price;\n    }\n    if ($discount > 0) {\n        $result -= $discount;\n    }\n    return $result;\n}\n\nfunction unused(): int\n{\n    return 1;\n}\n' >src/cart.php
    printf '<?php\nrequire_once __DIR__ . "/../src/cart.php";\nfinal class CartTest extends PHPUnit\\Framework\\TestCase\n{\n    public function testTotal(): void\n    {\n        $this->assertSame(3, total([1, 2]));\n    }\n}\n' >tests/CartTest.php
    printf '<?xml version="1.0"?>\n<phpunit><coverage><include><directory>src</directory></include></coverage></phpunit>\n' >phpunit.xml
    XDEBUG_MODE=coverage phpunit --coverage-clover "$out/phpunit.clover.xml" --coverage-cobertura "$out/phpunit.cobertura.xml" --coverage-text --colors=never tests | grep -E 'Lines:' | head -n 1
}

java_project() {
    local jars=${JACOCO:-/usr/share/java}
    mkdir -p "$work/java/src/main/java/org/example/shop" "$work/java/classes" "$work/java/report" && cd "$work/java"
    printf 'package org.example.shop;\n\npublic class Cart {\n    public static int total(int[] prices, int discount) {\n        int result = 0;\n        for (int price : prices) {\n            if (price < 0) {\n                throw new IllegalArgumentException("below nothing");\n            }\n            result += price;\n        }\n        return discount > 0 ? result - discount : result;\n    }\n\n    static int unused() {\n        return 1;\n    }\n\n    public static void main(String[] words) {\n        if (total(new int[] {1, 2}, 0) != 3) {\n            System.exit(1);\n        }\n    }\n}\n' >src/main/java/org/example/shop/Cart.java
    javac --release 8 -g -d classes src/main/java/org/example/shop/Cart.java 2>/dev/null
    cat >report/Main.java <<'JAVA'
import java.io.*;
import java.nio.file.*;
import org.jacoco.core.analysis.*;
import org.jacoco.core.data.*;
import org.jacoco.core.instr.Instrumenter;
import org.jacoco.core.runtime.*;
import org.jacoco.report.*;
import org.jacoco.report.xml.XMLFormatter;

public class Main {
    public static void main(String[] words) throws Exception {
        final IRuntime runtime = new LoggerRuntime();
        final RuntimeData data = new RuntimeData();
        runtime.startup(data);
        ClassLoader loader = new ClassLoader() {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                if (!name.startsWith("org.example.")) {
                    return super.loadClass(name, resolve);
                }
                try {
                    byte[] plain = Files.readAllBytes(Paths.get("classes", name.replace('.', '/') + ".class"));
                    byte[] bytes = new Instrumenter(runtime).instrument(plain, name);
                    return defineClass(name, bytes, 0, bytes.length);
                } catch (IOException error) {
                    throw new ClassNotFoundException(name, error);
                }
            }
        };
        loader.loadClass("org.example.shop.Cart").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        ExecutionDataStore store = new ExecutionDataStore();
        SessionInfoStore sessions = new SessionInfoStore();
        data.collect(store, sessions, false);
        runtime.shutdown();
        CoverageBuilder builder = new CoverageBuilder();
        new Analyzer(store, builder).analyzeAll(new File("classes"));
        try (OutputStream file = new FileOutputStream(words[0])) {
            IReportVisitor visitor = new XMLFormatter().createVisitor(file);
            visitor.visitInfo(sessions.getInfos(), store.getContents());
            visitor.visitBundle(builder.getBundle("shop"), null);
            visitor.visitEnd();
        }
        ICounter lines = builder.getBundle("shop").getLineCounter();
        System.out.println("jacoco: " + lines.getCoveredCount() + " of " + lines.getTotalCount() + " lines");
    }
}
JAVA
    local path
    path=$(ls "$jars"/org.jacoco.*.jar "$jars"/jacoco*.jar "$jars"/asm*.jar "$jars"/args4j.jar 2>/dev/null | tr '\n' ':')
    javac -cp "$path" -d report report/Main.java && java -cp "$path:report" Main "$out/jacoco.xml"
}

python_project || say "skipped: coverage.py"
[ -n "${NODE_MODULES:-}" ] && node_project || say "skipped: nyc, c8"
has go && go_project || say "skipped: go"
has lcov && gcc_project || say "skipped: lcov"
has clang && clang_project || say "skipped: clang"
has ruby && ruby_project || say "skipped: simplecov"
has phpunit && php_project || say "skipped: phpunit"
has javac && java_project || say "skipped: jacoco"
sed -i "s#$work#/ci/shop#g" "$out"/*
