// Evaluates each case of a table as GitHub's own evaluator does, and compares: node runner.mjs TABLE
import { readFileSync } from "node:fs";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

const table = JSON.parse(readFileSync(process.argv[2], "utf8"));

function known(value) {
  if (value === null) return new data.Null();
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "string") return new data.StringData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(known));
  return new data.Dictionary(...Object.entries(value).map(([key, value]) => ({ key, value: known(value) })));
}

function plain(value) {
  return JSON.parse(JSON.stringify(value, data.replacer));
}

const contexts = known(table.contexts);
const names = Object.keys(table.contexts);
let wrong = 0;
for (const [text, expected] of table.cases) {
  let found;
  try {
    const { tokens } = new Lexer(text).lex();
    const tree = new Parser(tokens, names, []).parse();
    found = plain(new Evaluator(tree, contexts).evaluate());
  } catch (error) {
    found = `error: ${error.message}`;
  }
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    wrong += 1;
    console.error(`${text}: GitHub ${JSON.stringify(found)}, the table ${JSON.stringify(expected)}`);
  }
}
if (wrong) process.exit(1);
console.log(`${table.cases.length} expressions: GitHub's evaluator gives the same`);
