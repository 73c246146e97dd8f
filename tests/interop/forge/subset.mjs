// node subset.mjs IN OUT [--prefix /api/v3]: cuts one of GitHub's OpenAPI files (npm @octokit/openapi) to the routes
// maestro uses, for `prism proxy`. Drops webhooks, prose, examples, callbacks and everything not reachable.
// --prefix: Prism's router ignores `servers`, so a GHES base path has to be written into every path.
import fs from 'fs';
const [, , IN, OUT] = process.argv;
const at = process.argv.indexOf('--prefix');
const prefix = at > 0 ? process.argv[at + 1] : '';
const spec = JSON.parse(fs.readFileSync(IN, 'utf8'));
const R = '/repos/{owner}/{repo}';
const ROUTES = `
GET ${R}
GET,POST ${R}/pulls
GET,PATCH ${R}/pulls/{pull_number}
GET ${R}/pulls/{pull_number}/files
GET ${R}/pulls/{pull_number}/commits
GET ${R}/pulls/{pull_number}/reviews
GET ${R}/commits
GET ${R}/commits/{ref}
GET ${R}/commits/{ref}/check-runs
GET ${R}/commits/{ref}/status
GET ${R}/commits/{commit_sha}/pulls
GET ${R}/compare/{basehead}
GET,POST ${R}/issues
GET,PATCH ${R}/issues/{issue_number}
GET ${R}/issues/{issue_number}/timeline
GET,POST ${R}/issues/{issue_number}/comments
POST ${R}/issues/{issue_number}/labels
GET ${R}/issues/comments
GET,PATCH,DELETE ${R}/issues/comments/{comment_id}
GET ${R}/labels/{name}
GET ${R}/actions/runs
GET ${R}/actions/runs/{run_id}
GET ${R}/actions/runs/{run_id}/jobs
GET ${R}/actions/runs/{run_id}/artifacts
GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}
GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}/jobs
GET ${R}/actions/artifacts
GET ${R}/actions/artifacts/{artifact_id}
GET ${R}/actions/artifacts/{artifact_id}/{archive_format}
GET ${R}/deployments
GET ${R}/deployments/{deployment_id}/statuses
GET ${R}/releases
GET ${R}/releases/tags/{tag}
GET ${R}/tags
POST ${R}/check-runs
PATCH ${R}/check-runs/{check_run_id}
GET,PUT ${R}/contents/{path}
GET ${R}/git/ref/{ref}
GET ${R}/git/matching-refs/{ref}
POST ${R}/git/refs
PATCH,DELETE ${R}/git/refs/{ref}
POST ${R}/git/blobs
GET ${R}/git/blobs/{file_sha}
POST ${R}/git/trees
GET ${R}/git/trees/{tree_sha}
POST ${R}/git/commits
GET ${R}/git/commits/{commit_sha}
GET ${R}/installation
GET ${R}/actions/permissions
GET ${R}/actions/permissions/workflow
GET ${R}/actions/permissions/fork-pr-contributor-approval
GET ${R}/rules/branches/{branch}
GET ${R}/branches/{branch}
GET ${R}/environments
GET /orgs/{org}/actions/permissions
GET /orgs/{org}/actions/permissions/workflow
GET /rate_limit
GET /user
GET /users/{username}
GET /app
POST /app/installations/{installation_id}/access_tokens
GET /orgs/{org}/teams/{team_slug}/memberships/{username}
GET /search/issues
GET /meta
GET /versions
`.trim().split('\n').map(l => { const [m, p] = l.split(' '); return [m.toLowerCase().split(','), p]; });

const out = { openapi: spec.openapi, info: spec.info, paths: {}, components: {} };
const missing = [];
for (const [methods, p] of ROUTES) {
  const item = spec.paths[p];
  if (!item) { missing.push(p); continue; }
  const o = (out.paths[p] = {});
  if (item.parameters) o.parameters = item.parameters;
  for (const m of methods) item[m] ? (o[m] = item[m]) : missing.push(m + ' ' + p);
}
// prose and examples are half of the file and no rule; never look at names inside `properties`.
const PROSE = new Set(['description', 'summary', 'example', 'examples', 'externalDocs', 'tags', 'callbacks', 'x-github']);
function strip(o, names = false) {
  if (Array.isArray(o)) return o.map(v => strip(v));
  if (!o || typeof o !== 'object') return o;
  const r = {};
  for (const [k, v] of Object.entries(o)) {
    if (!names && PROSE.has(k)) { if (k === 'description' && isResponse(o)) r[k] = ''; continue; }
    r[k] = (k === 'enum' || k === 'default' || k === 'required') && !names ? v : strip(v, !names && k === 'properties');
  }
  return r;
}
// `description` is required in a response object only
const isResponse = o => !('type' in o) && !('in' in o) && !('oneOf' in o) && ('content' in o || 'headers' in o || Object.keys(o).length === 1);
out.paths = strip(out.paths);
// reachable components only
const seen = new Set();
(function walk(o) {
  if (Array.isArray(o)) return o.forEach(walk);
  if (!o || typeof o !== 'object') return;
  if (typeof o.$ref === 'string' && !seen.has(o.$ref)) {
    seen.add(o.$ref);
    const [, kind, name] = o.$ref.slice(2).split('/');
    const t = strip(spec.components[kind][name]);
    (out.components[kind] ??= {})[name] = t;
    walk(t);
  }
  for (const k in o) walk(o[k]);
})(out.paths);
// what GitHub really answers with
const fix = r => {
  const j = r?.content?.['application/json'];
  if (j) for (const t of ['application/vnd.github+json', 'application/vnd.github.v3+json']) r.content[t] ??= j;
};
for (const item of Object.values(out.paths)) for (const op of Object.values(item)) for (const r of Object.values(op.responses ?? {})) fix(r);
for (const r of Object.values(out.components.responses ?? {})) fix(r);
// Prism's Ajv throws on `nullable` without `type`, and Prism then validates NOTHING of that body, without a word.
let untyped = 0;
(function walk(o, names) {
  if (Array.isArray(o)) return o.forEach(v => walk(v));
  if (!o || typeof o !== 'object') return;
  if (!names && o.nullable === true && !o.type) {
    const k = o.anyOf ? 'anyOf' : o.oneOf ? 'oneOf' : null;
    if (!k) throw Error('nullable without type, anyOf or oneOf: ' + JSON.stringify(o));
    o[k] = [...o[k], { enum: [null] }];
    delete o.nullable;
    untyped++;
  }
  for (const k in o) walk(o[k], !names && k === 'properties');
})({ p: out.paths, c: out.components });
// Where GitHub's description is wrong or blind; each is a deviation from the file as published.
const C = out.components.schemas;
// 1. `created` of GET /actions/runs takes a search range (`>=2026-01-01`, `A..B`), but is declared as one date-time.
for (const p of [out.components.parameters?.created]) if (p?.schema?.format === 'date-time') delete p.schema.format;
// 2. error bodies as `oneOf` of schemas that overlap: nothing could ever match exactly one.
for (const item of Object.values(out.paths)) for (const op of Object.values(item)) for (const [code, r] of Object.entries(op.responses ?? {})) {
  const rr = r.$ref ? out.components.responses[r.$ref.split('/').pop()] : r;
  if (+code >= 400) for (const c of Object.values(rr.content ?? {})) if (c.schema?.oneOf) { c.schema.anyOf = c.schema.oneOf; delete c.schema.oneOf; }
}
// 3. two timeline events without any required property make the whole anyOf accept everything.
for (const [n, event] of [['timeline-line-commented-event', 'line-commented'], ['timeline-commit-commented-event', 'commit-commented']]) {
  if (C[n] && !C[n].required) { C[n].required = ['event']; C[n].properties.event.enum = [event]; }
}
// Prism's {x} never matches a slash; GitHub's `x-multi-segment` parameters (and refs) do. Unroll them.
const DEEP = { contents: 8, 'git/ref': 6, 'git/refs': 6, 'git/matching-refs': 6, compare: 4, 'releases/tags': 3 };
for (const [p, item] of Object.entries(out.paths)) {
  const m = /\/repos\/\{owner\}\/\{repo\}\/(.+)\/\{(path|ref|basehead|tag)\}$/.exec(p);
  for (let n = 2; m && n <= (DEEP[m[1]] ?? 0); n++) {
    const extra = Array.from({ length: n - 1 }, (_, i) => `${m[2]}_${i + 2}`);
    const copy = structuredClone(item);
    for (const op of Object.values(copy)) if (op.parameters) {
      op.parameters = op.parameters.concat(extra.map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } })));
      op.operationId += '-' + n;
    }
    out.paths[p + extra.map(x => `/{${x}}`).join('')] = copy;
  }
}
if (prefix) out.paths = Object.fromEntries(Object.entries(out.paths).map(([p, v]) => [prefix + p, v]));
fs.writeFileSync(OUT, JSON.stringify(out));
console.log(`${spec.info.version} ${Object.keys(spec.paths).length} -> ${Object.keys(out.paths).length} paths, ${Object.values(out.paths).flatMap(Object.keys).filter(k => k !== 'parameters').length} operations, ${seen.size} components, ${untyped} untyped nullables, ${fs.statSync(OUT).size} bytes; missing: ${missing.join(', ') || 'none'}`);
