// Judges every line of a file with spdx-satisfies: an expression, a tab, and the allowed licences with commas between them.
// Answers with the verdict as it is, and with that of the same code where its endsWith is mended: it compares -1 with the
// length that an identifier of eight letters has beyond "-or-later", and takes all of those for "or later".
import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";

const require = createRequire(`${process.env.NODE_PATH}/`);
const path = require.resolve("spdx-satisfies");
const source = readFileSync(path, "utf8");
const slip = "return string.indexOf(substring) === string.length - substring.length";
if (!source.includes(slip)) throw new Error("spdx-satisfies is another one now");
const mended = new Module(path);
mended.filename = path;
mended.paths = Module._nodeModulePaths(path);
mended._compile(source.replace(slip, "return string.endsWith(substring)"), path);

const judge = (satisfies, expression, list) => {
  try {
    return satisfies(expression, list) ? "allowed" : "denied";
  } catch {
    return "invalid";
  }
};
for (const line of readFileSync(process.argv[2], "utf8").trimEnd().split("\n")) {
  const [expression, list] = line.split("\t");
  const verdicts = [require(path), mended.exports].map((one) => judge(one, expression, list.split(",")));
  console.log(verdicts.join("\t"));
}
