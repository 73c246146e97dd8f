"""Projects of every test runner that leaves tests out: 300 tests each, whose names are hard to write or to tell apart.

A project is what runs it: called with what maestro told the runner and with variables, it returns the reports. Each test that runs
leaves a mark in the file `ran`, where the language makes that easy.
"""

import json
import random
import sys

from runners import ODD, run, words, write

PIECES = [
    "a", "b", "ab", "A", "é", "e\u0301", "漢字", "🦀", " ", "  ", "'", '"', "\\", "`", "${x}", "$&", "$1", "#{x}", "#", "*", "?", ".", ".*", "+", "[", "]", "[x]", "(", ")", "{", "}", "|", "^", "$",
    "/", "//", "::", " > ", ">", "<", "&amp;", "&", ",", ";", ":", "-", "--", "!", "%s", "%25", "@", "~", "=", "\n", "\t", "not ", "</x>", "]]>", "with data set", "\u2028", "-->",
]


def hostile(count, seed, without=""):
    """Different names, some of them beginnings, ends or parts of others."""
    dice = random.Random(seed)
    names = {name: None for name in ODD if name.strip() and not set(name) & set(without)}
    while len(names) < count:
        name = "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 4)))
        if dice.random() < 0.3:
            name = dice.choice(list(names)) + name
        if name.strip() and not set(name) & set(without):
            names[name] = None
    return list(names)[:count]


def javascript(names, mark, each):
    """Tests at the top, in one group and in two, and parametrised ones."""
    text = [mark]
    # Three of equal length.
    third = len(names) // 3
    one = lambda name: f"test({json.dumps(name)}, ran);"
    text += map(one, names[:third])
    for at in range(third, 2 * third, 10):
        text.append(f"describe({json.dumps(names[at - third])}, () => {{ {' '.join(map(one, names[at:at + 10]))} }});")
    for at in range(2 * third, len(names), 10):
        inner = " ".join(map(one, names[at:at + 10]))
        text.append(f"describe({json.dumps(names[at - third])}, () => {{ describe({json.dumps(names[at - third + 1])}, () => {{ {inner} }}); }});")
    if each:
        text.append("test.each(['a', 'a b', 'a.b', 'A'])('p %s', ran); test.concurrent('later', async () => ran());")
    return "\n".join(text) + "\n"


class Project:
    """Runs its tests when it is called, with these arguments and variables."""

    def __init__(self, folder, _):
        self.folder = folder
        self.lay()

    def lay(self):
        """Writes the tests."""

    def choose(self, tests, count):
        """So many tests, none of which the runner is bound to leave out with others."""
        return random.Random(5).sample(tests, count)

    def run(self, args, **more):
        run(args, self.folder, RAN=str(self.folder / "ran"), **more)


class Node(Project):
    """What the runners of JavaScript have in common."""

    def __init__(self, folder, packages):
        folder.mkdir(parents=True)
        (folder / "node_modules").symlink_to(packages / "node_modules")
        write(folder, "package.json", "{}")
        super().__init__(folder, packages)

    def start(self, program, args, **more):
        self.run([f"node_modules/.bin/{program}", *args], **more)

    mark = "const fs = require('fs'); const ran = () => fs.appendFileSync(process.env.RAN, '.');"


class Jest(Node):
    runner = "jest"
    options = {}

    def lay(self):
        for seed, name in enumerate(["a.test.js", "sub/a.test.js", "sub/we ird [x](y) $1.test.js"]):
            write(self.folder, name, javascript(hostile(170, seed // 2), self.mark, True))
        # Its order of letters is not that of -t.
        write(self.folder, "jest.config.js", "module.exports = { setupFilesAfterEnv: ['./own.js'] };\n")
        write(self.folder, "own.js", "globalThis.own = true;\n")

    def __call__(self, args, env):
        self.start("jest", ["--reporters=default", "--reporters=jest-junit", *args], JEST_JUNIT_OUTPUT_FILE="r.xml", **self.options, **env)
        return ["r.xml"]


class JestByFile(Jest):
    options = {"JEST_JUNIT_CLASSNAME": "{filepath}", "JEST_JUNIT_TITLE": "{title}", "JEST_JUNIT_SUITE_NAME": "{classname} {filename}", "JEST_JUNIT_ANCESTOR_SEPARATOR": " › "}


class JestProjects(Jest):
    options = {"JEST_JUNIT_CLASSNAME": "{displayName} {classname}", "JEST_JUNIT_TITLE": "{title}", "JEST_JUNIT_SUITE_NAME": "{filepath}"}

    def lay(self):
        super().lay()
        setup = "setupFilesAfterEnv: ['<rootDir>/../own.js']"
        projects = f"{{ displayName: 'one', rootDir: 'sub', {setup} }}, {{ displayName: 'two', rootDir: 'other', testEnvironment: './environment.js', {setup} }}"
        write(self.folder, "jest.config.js", f"module.exports = {{ projects: [{projects}] }};\n")
        write(self.folder, "other/a.test.js", (self.folder / "a.test.js").read_text())
        write(self.folder, "other/environment.js", "const { TestEnvironment } = require('jest-environment-node'); module.exports = class extends TestEnvironment { async handleTestEvent() {} };\n")


class Vitest(Node):
    runner = "vitest"
    config = "export default { test: { globals: true, setupFiles: ['./own.mjs'] } }\n"

    def lay(self):
        mark = "import fs from 'node:fs'; const ran = () => { if (!globalThis.own) throw new Error('no set-up'); fs.appendFileSync(process.env.RAN, '.'); };"
        for seed, name in enumerate(["a.test.js", "sub/a.test.js", "sub/we ird [x](y) $1.test.js"]):
            write(self.folder, name, javascript(hostile(170, seed // 2), mark, True))
        write(self.folder, "vitest.config.mjs", self.config)
        write(self.folder, "own.mjs", "globalThis.own = true;\n")

    def __call__(self, args, env):
        self.start("vitest", ["run", "--reporter=junit", "--outputFile=r.xml", *args], **env)
        return ["r.xml"]


class VitestProjects(Vitest):
    config = """export default { test: { projects: [
  { test: { name: 'one', globals: true, setupFiles: ['./own.mjs'], include: ['a.test.js'] } },
  { test: { name: 'two', globals: true, setupFiles: ['./own.mjs'], include: ['sub/*.test.js'], pool: 'threads' } },
] } }
"""


class Playwright(Node):
    runner = "playwright"
    projects = "projects: [{ name: 'one', testDir: 'tests' }, { name: 'two', testDir: 'tests', testMatch: 'sub/**' }]"

    def lay(self):
        mark = "const { test } = require('@playwright/test'); const { describe } = test; const fs = require('fs'); const ran = () => fs.appendFileSync(process.env.RAN, '.');"
        for seed, name in enumerate(["a.spec.js", "sub/a.spec.js", "sub/we ird [x](y) $1.spec.js"]):
            text = javascript(self.titles(hostile(170, seed // 2)), mark.replace("() => fs", "({}) => fs"), False)
            write(self.folder, f"tests/{name}", text.replace("\ndescribe(", "\ntest.describe(").replace("=> { describe(", "=> { test.describe("))
        write(self.folder, "playwright.config.js", f"module.exports = {{ {self.projects} }};\n")

    def titles(self, names):
        """It refuses two titles that are one once their tags are taken for words."""
        return [name for name in names if "@" not in name]

    def __call__(self, args, env):
        self.start("playwright", ["test", *(args or ["--reporter=junit"])], PLAYWRIGHT_JUNIT_OUTPUT_FILE="r.xml", **env)
        return ["r.xml"]


class PlaywrightByProject(Playwright):
    projects = Playwright.projects + ", reporter: [['junit', { includeProjectInTestName: true }]]"

    def __call__(self, args, env):
        return super().__call__(args, {**env, "PLAYWRIGHT_JUNIT_INCLUDE_PROJECT_IN_TEST_NAME": "1"})


class Mocha(Node):
    runner = "mocha"
    reporter = ["--reporter", "mocha-junit-reporter", "--reporter-options", "mochaFile=r.xml,includePending=true"]

    def lay(self):
        for seed, name in enumerate(["a.spec.js", "sub/a.spec.js", "sub/we ird [x](y) $1.spec.js"]):
            write(self.folder, name, javascript(hostile(170, seed // 2), self.mark + " const test = it;", False))
        write(self.folder, ".mocharc.json", '{"require": "./own.js"}')
        write(self.folder, "own.js", "exports.mochaHooks = { beforeEach() { globalThis.own = true; } };\n")

    def __call__(self, args, env):
        self.start("mocha", ["--recursive", "a.spec.js", "sub", *self.reporter, *args], **env)
        return ["r.xml"]


class MochaJenkins(Mocha):
    reporter = ["--reporter", "mocha-junit-reporter", "--reporter-options", "mochaFile=r.xml,jenkinsMode=true"]


class MochaXunit(Mocha):
    reporter = ["--reporter", "xunit", "--reporter-option", "output=r.xml"]


class MochaParallel(Mocha):
    reporter = ["--parallel", "--reporter", "xunit", "--reporter-option", "output=r.xml,suiteName=Own > one"]


class Rspec(Project):
    runner = "rspec"

    def lay(self):
        folder = self.folder
        literal = lambda name: "[" + ",".join(map(str, map(ord, name))) + "].pack('U*')"
        for seed, path in enumerate(["spec/a_spec.rb", "spec/sub/a_spec.rb", "spec/sub/we ird [x](y)_spec.rb"]):
            names = hostile(100, seed // 2)
            one = lambda name: f"it({literal(name)}) {{ ran }}"
            text = ["def ran = File.write(ENV['RAN'], '.', mode: 'a')", "RSpec.shared_examples('shared') { it('is shared') { ran } }"]
            text += [f"RSpec.describe({literal(names[at])}) {{ {'; '.join(map(one, names[at:at + 10]))} }}" for at in range(0, 50, 10)]
            text += [f"RSpec.describe({literal(names[at])}) {{ context({literal(names[at + 1])}) {{ {'; '.join(map(one, names[at:at + 10]))}; include_examples 'shared' }} }}" for at in range(50, 100, 10)]
            write(folder, path, "\n".join(text) + "\n")
        write(folder, ".rspec", "--require ./own\n")
        write(folder, "own.rb", "")

    def __call__(self, args, env):
        self.run(["rspec", "--format", "RspecJunitFormatter", "--out", "r.xml", *args], **env)
        return ["r.xml"]


class Phpunit(Project):
    runner = "phpunit"

    def lay(self):
        folder = self.folder
        literal = lambda name: '"' + "".join(f"\\x{byte:02x}" for byte in name.encode()) + '"'
        for number, (space, path) in enumerate([("", "tests/ATest.php"), ("App", "tests/App/ATest.php"), ("App\\Über", "tests/Other/ATest.php"), ("", "tests/ATestTest.php")]):
            name = path.rpartition("/")[2].removesuffix(".php")
            sets = ", ".join(f"{literal(word)} => [1]" for word in hostile(60, number // 2) if "\u2028" not in word)
            tests = "\n".join(f"function test_{word}() {{ ran(); $this->assertTrue(true); }}" for word in [*words(30), "ü", "X"])
            write(folder, path, f"""<?php
{f'namespace {space};' if space else ''}
require_once '{folder}/ran.php';
class {name} extends \\PHPUnit\\Framework\\TestCase {{
{tests}
/** @dataProvider sets */ function testSet($x) {{ \\ran(); $this->assertTrue(true); }}
/** @dataProvider numbers */ function testNumber($x) {{ \\ran(); $this->assertTrue(true); }}
static function sets() {{ return [{sets}]; }}
static function numbers() {{ return [[1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11]]; }}
}}
""")
        write(folder, "ran.php", "<?php if (!function_exists('ran')) { function ran() { file_put_contents(getenv('RAN'), '.', FILE_APPEND); } }\n")
        write(folder, "phpunit.xml", '<phpunit><testsuites><testsuite name="all"><directory>tests</directory></testsuite></testsuites></phpunit>\n')

    def __call__(self, args, env):
        self.run(["phpunit", "--log-junit", "r.xml", *args], **env)
        return ["r.xml"]


class Ctest(Project):
    runner = "ctest"

    def lay(self):
        folder = self.folder
        # A bracket argument loses a line break at its start.
        names = [name for name in hostile(340, 3) if not name.startswith("\n")]
        bracket = lambda name: f"[====[{name}]====]"
        write(folder, "CMakeLists.txt", "cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\nenable_testing()\n" + "".join(f"add_test(NAME {bracket(name)} COMMAND sh {folder}/ran.sh)\n" for name in names))
        write(folder, "ran.sh", 'printf . >>"$RAN"\n')
        run(["cmake", "-S", ".", "-B", "build"], folder)

    def __call__(self, args, env):
        self.run(["ctest", "--test-dir", "build", "--output-junit", self.folder / "r.xml", *args], **env)
        return ["r.xml"]


class Gtest(Project):
    runner = "gtest"

    def lay(self):
        folder = self.folder
        tests = "".join(f"TEST({suite}, {word}) {{ ran(); }}\n" for suite in ["A", "Ab", "B_A", "Ü"] for word in [*words(60), "A", "ü"])
        write(folder, "a.cc", f"""#include <gtest/gtest.h>
#include <cstdio>
#include <cstdlib>
static void ran() {{ FILE *file = std::fopen(std::getenv("RAN"), "a"); std::fputc('.', file); std::fclose(file); }}
{tests}
class P : public testing::TestWithParam<int> {{}};
TEST_P(P, works) {{ ran(); }}
TEST_P(P, worksToo) {{ ran(); }}
INSTANTIATE_TEST_SUITE_P(In, P, testing::Range(0, 25));
INSTANTIATE_TEST_SUITE_P(InB, P, testing::Range(0, 15));
template <typename T> class Typed : public testing::Test {{}};
using Types = testing::Types<int, unsigned char, const char *>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, works) {{ ran(); }}
class Odd : public testing::Test {{ public: void TestBody() override {{ ran(); }} }};
int main(int count, char **words) {{
    testing::InitGoogleTest(&count, words);
    for (const char *name : {{"a-b", "-a", "a b", "a,b", "'", "\\"", "$(x)", "漢", "a", "[a]", "x/y"}}) testing::RegisterTest("Odd one", name, nullptr, nullptr, __FILE__, __LINE__, []() -> testing::Test * {{ return new Odd; }});
    return RUN_ALL_TESTS();
}}
""")
        run(["g++", "-O0", "a.cc", "-o", "a.out", "-lgtest", "-pthread"], folder)

    def __call__(self, args, env):
        self.run(["./a.out", "--gtest_output=xml:r.xml", *args], **env)
        return ["r.xml"]


class Go(Project):
    runner = "go-test"

    def lay(self):
        folder = self.folder
        write(folder, "go.mod", "module ex.com/m\ngo 1.20\n")
        literal = lambda name: '"' + "".join(f"\\x{byte:02x}" for byte in name.encode()) + '"'
        for number, package in enumerate(["a", "a/b", "b", "c/b"]):
            tests = "".join(f"func Test{word.upper()}(t *testing.T) {{ ran() }}\n" for word in words(60))
            subs = "; ".join(f"t.Run({literal(name)}, func(t *testing.T) {{ ran() }})" for name in hostile(40, number // 2))
            deep = "; ".join(f"t.Run({literal(name)}, func(t *testing.T) {{ ran(); t.Run({literal(name)}, func(t *testing.T) {{ ran() }}) }})" for name in hostile(20, number))
            write(folder, f"{package}/x_test.go", f"""package {package.rpartition('/')[2]}
import (
	"os"
	"testing"
)
func ran() {{ file, _ := os.OpenFile(os.Getenv("RAN"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); file.WriteString("."); file.Close() }}
{tests}
func TestÜ(t *testing.T) {{ ran(); {subs} }}
func TestDeep(t *testing.T) {{ ran(); {deep} }}
""")

    def choose(self, tests, count):
        """A test goes with the ones inside it, so none is chosen without them."""
        chosen = set(random.Random(5).sample(tests, count))
        return [one for one in chosen if not any(suite == one[0] and test.startswith(one[1] + "/") for suite, test in set(tests) - chosen)]

    def __call__(self, args, env):
        self.run(["gotestsum", "--junitfile", "r.xml", "--", "-count=1", "-skip", "^TestÜ$/^no such$", *args, "./..."], GOFLAGS="-mod=mod", GOPROXY="off", GOTOOLCHAIN="local", **env)
        return ["r.xml"]


class Junit4(Project):
    runner = "surefire-junit4"
    dependencies = [("junit", "junit", "4.x")]

    def lay(self):
        folder = self.folder
        # Debian's own repository of Maven artefacts, in a copy that Maven may write to.
        run(["cp", "-rs", "/usr/share/maven-repo", folder.with_name(f"{folder.name}-repository")], folder.parent)
        depends = "".join(f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version><scope>test</scope></dependency>" for group, name, version in self.dependencies)
        write(folder, "pom.xml", f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>demo</groupId><artifactId>demo</artifactId><version>1</version>
<properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies>{depends}</dependencies></project>
""")
        self.sources()

    def source(self, package, name, text):
        ran = 'static void ran() { try { java.nio.file.Files.write(java.nio.file.Path.of(System.getenv("RAN")), new byte[] {46}, java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.APPEND); } catch (java.io.IOException error) { throw new RuntimeException(error); } }'
        head = f"package {package};" if package else ""
        write(self.folder, f"src/test/java/{package.replace('.', '/')}/{name}.java", head + text.replace("RAN", ran))

    def sources(self):
        literal = lambda name: '"' + "".join(f"\\u{unit:04x}" for unit in memoryview(name.encode("utf-16-le")).cast("H")) + '"'
        # Escapes are read before the quotes are.
        plain = lambda name: literal(name).replace("\\u000a", "\\n").replace("\\u0022", '\\"').replace("\\u005c", "\\\\").replace("\\u000d", "\\r")
        for number, (package, name) in enumerate([("demo", "ATest"), ("", "ATest"), ("demo.über", "ATestTest"), ("demox", "TestA")]):
            tests = " ".join(f"@org.junit.Test public void {word}() {{ ran(); }}" for word in [*words(30), "a$b", "ü"])
            self.source(package, name, f"public class {name} {{ RAN {tests} public static class InnerTest {{ @org.junit.Test public void never() {{ ran(); }} }} }}")
            sets = ", ".join(plain(word) for word in hostile(60, number // 2))
            self.source(package, f"Sets{name}", f"""import org.junit.runners.Parameterized;
@org.junit.runner.RunWith(Parameterized.class) public class Sets{name} {{ RAN
@Parameterized.Parameters(name = "{{0}}") public static Object[] data() {{ return new Object[] {{ {sets} }}; }}
@Parameterized.Parameter public String given;
@org.junit.Test public void p() {{ ran(); }} @org.junit.Test public void pq() {{ ran(); }} }}""")

    def __call__(self, args, env):
        reports = self.folder / "target/surefire-reports"
        run(["rm", "-rf", reports], self.folder)
        self.run(["mvn", "-o", "-B", "-q", f"-Dmaven.repo.local={self.folder}-repository", "resources:testResources", "compiler:testCompile", "surefire:test", *args], LC_ALL="C.UTF-8", **env)
        return sorted(reports.glob("*.xml"))


class Junit5(Junit4):
    runner = "surefire"
    dependencies = [("org.junit.jupiter", "junit-jupiter-engine", "5.9.2"), ("org.junit.jupiter", "junit-jupiter-params", "5.9.2")]

    def sources(self):
        for package, name in [("demo", "ATest"), ("", "ATest"), ("demo.über", "ATestTest"), ("demox", "TestA")]:
            tests = lambda count: " ".join(f"@org.junit.jupiter.api.Test void {word}() {{ ran(); }}" for word in [*words(count), "a$b", "ü"])
            nested = "@org.junit.jupiter.api.Nested class"
            self.source(package, name, f"""class {name} {{ RAN {tests(30)} {nested} Inner {{ {tests(30)} {nested} InnerTest {{ {tests(20)} }} }}
@org.junit.jupiter.params.ParameterizedTest @org.junit.jupiter.params.provider.ValueSource(strings = {{"x", "y"}}) void p(String given) {{ ran(); }}
@org.junit.jupiter.api.RepeatedTest(3) void again() {{ ran(); }} }}""")

    def choose(self, tests, count):
        """Invocations of a method are left out together or not at all."""
        return random.Random(5).sample([one for one in tests if not set(one[1]) & set("({[")], count)


class Pytest(Project):
    runner = "pytest"

    def lay(self):
        for name in ["test_a", "sub/test_a", "sub dir/test_c"]:
            tests = "".join(f"def test_{word}(): ran()\n" for word in words(60))
            nested = "class TestC:\n    class TestD:\n" + "".join(f"        def test_{word}(self): ran()\n" for word in words(20))
            mark = "import os\ndef ran(): open(os.environ['RAN'], 'a').write('.')\n"
            write(self.folder, f"{name}.py", f"import pytest\n{mark}@pytest.mark.parametrize('x', {hostile(60, 1)!r})\ndef test_p(x): ran()\n{tests}{nested}")
        write(self.folder, "sub/__init__.py", "")

    def __call__(self, args, env):
        self.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml", *args], **env)
        return ["r.xml"]


class Nextest(Project):
    runner = "nextest"

    def lay(self):
        write(self.folder, "Cargo.toml", '[package]\nname = "left"\nversion = "0.1.0"\nedition = "2021"\n')
        tests = "".join(f"#[test] fn {word}() {{}}\n" for word in words(100))
        write(self.folder, "src/lib.rs", f"#[cfg(test)] mod m {{ {tests} mod inner {{ {tests} }} }} #[test] fn root() {{}}\n")
        # Without the binary, which `cargo test` says nothing of, no name may be there twice.
        other = "".join(f"#[test] fn u{word}() {{}}\n" for word in words(100))
        write(self.folder, "tests/it.rs", f"mod m {{ {other} mod ü {{ #[test] fn r#fn() {{}} }} }} #[test] fn top() {{}} #[test] fn to() {{}}\n")
        write(self.folder, ".config/nextest.toml", '[profile.ci.junit]\npath = "junit.xml"\n')

    def __call__(self, args, env):
        self.run(["cargo", "nextest", "run", "--profile", "ci", *args], CARGO_TARGET_DIR="target", **env)
        return ["target/nextest/ci/junit.xml"]


class CargoTest(Nextest):
    runner = "cargo-test"

    def __call__(self, args, env):
        args = [*(args or ["--"]), "-Z", "unstable-options", "--format", "junit"]
        for which in ["--lib", "--test=it"]:
            done = run(["cargo", "test", "--quiet", which, *args], self.folder, CARGO_TARGET_DIR="target", RUSTC_BOOTSTRAP="1", **env)
            write(self.folder, f"r{which}.xml", done.stdout)
        return ["r--lib.xml", "r--test=it.xml"]


PROJECTS = [Jest, JestByFile, JestProjects, Vitest, VitestProjects, Playwright, PlaywrightByProject, Mocha, MochaJenkins, MochaXunit, MochaParallel, Rspec, Phpunit, Ctest, Gtest, Go, Junit4, Junit5, Pytest, Nextest, CargoTest]
