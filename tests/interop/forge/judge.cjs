// Judges recorded HTTP exchanges with Prism's own router and validators: no proxy, no port, no redirects followed.
//   node judge.cjs [--house] [--warnings] [--never] SPEC.json LOG.jsonl...   exit 0: no Error; 1: violations (one line each); 2: nothing was judged
// A line: {"method":"GET","url":"/repos/o/r/pulls?per_page=100","request_headers":{..},"request_body":TEXT|JSON|null,
//          "status":200,"response_headers":{..},"response_body":TEXT|JSON|null, "fault":true?, "test":"name"?}
// `fault` (an answer broken on purpose): only the request is judged. Status codes that the spec does not list are a
// Warning, except 2xx (Error). --warnings shows them.
const fs = require('fs');
const core = require('ajv/dist/core').default;
const broken = [];
const compile = core.prototype.compile;
// Prism swallows this exception and then validates nothing: never let that pass for "valid"
core.prototype.compile = function (...a) { try { return compile.apply(this, a); } catch (e) { broken.push(e.message); throw e; } };
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http');
const route = require('@stoplight/prism-http/dist/router').default;
const { validateInput, validateOutput } = require('@stoplight/prism-http/dist/validator');

const lower = h => Object.fromEntries(Object.entries(h ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
const isJson = t => /[/+]json\b/.test(t ?? '');
const body = (b, type) => (typeof b !== 'string' || b === '' ? b || undefined : isJson(type) ? JSON.parse(b) : b);
const SEVERITY = ['Error', 'Warning', 'Information', 'Hint'];
async function load(spec) { return getHttpOperationsFromSpec(spec); }
function judge(ops, x) {
  const out = [], n = broken.length;
  const add = (side, l) => l.forEach(v => out.push({ severity: SEVERITY[v.severity] ?? 'Error', where: [side, ...(v.path ?? [])].join('.'), message: v.message, code: v.code }));
  const { pathname, searchParams } = new URL(x.url, 'http://example.com');
  const query = {};
  for (const k of new Set(searchParams.keys())) { const a = searchParams.getAll(k); query[k] = a.length === 1 ? a[0] : a; }
  const h = lower(x.request_headers), rh = lower(x.response_headers);
  try {
    const reqBody = body(x.request_body, h['content-type']);
    if (reqBody !== undefined) h['content-length'] ??= '1';
    const input = { method: x.method.toLowerCase(), url: { path: pathname, query }, headers: h, body: reqBody ?? null };
    const r = route({ resources: ops, input });
    if (r._tag === 'Left') { add('request', [{ message: r.left.detail || r.left.message, severity: 0 }]); return out; }
    const resource = r.right;
    out.operation = `${resource.method} ${resource.path.replace(/(\/\{\w+_\d\})+$/, '')}`; // see DEEP in subset.mjs
    const i = validateInput({ resource, element: input });
    if (i._tag === 'Left') add('request', i.left);
    if (judge.house) house(resource, x, h, query, reqBody, message => add('house', [{ message, severity: 0 }]));
    if (!x.fault) {
      const o = validateOutput({ resource, element: { statusCode: x.status, headers: rh, body: body(x.response_body, rh['content-type']) } });
      if (o._tag === 'Left') add('response', o.left);
    }
  } catch (e) { add('exchange', [{ message: String(e), severity: 0 }]); }
  if (broken.length > n) add('spec', broken.slice(n).map(message => ({ message: 'a schema does not compile, nothing was validated: ' + message, severity: 0 })));
  return out;
}
// --house: what GitHub demands, but its OpenAPI does not say (prose, or enforced by the server)
function house(op, x, h, query, b, say) {
  const names = new Set((op.request?.query ?? []).map(q => q.name));
  for (const k of Object.keys(query)) if (!names.has(k)) say(`query parameter ${k} is not documented: GitHub ignores it`);
  if (query.per_page !== undefined && !(query.per_page >= 1 && query.per_page <= 100)) say(`per_page=${query.per_page}: 1 to 100`);
  if (query.page !== undefined && !(query.page >= 1)) say(`page=${query.page}: from 1`);
  if (!h['user-agent']) say('no User-Agent: GitHub answers 403');
  if (!/^application\/vnd\.github(\.\w+)?\+json\b/.test(h.accept ?? '')) say(`Accept is ${h.accept}, not application/vnd.github+json`);
  if (h['x-github-api-version'] !== '2022-11-28') say(`X-GitHub-Api-Version is ${h['x-github-api-version']}, not 2022-11-28`);
  if (b !== undefined && !isJson(h['content-type'])) say(`a body with Content-Type ${h['content-type']}`);
  const p = op.path.replace(/^.*\{repo\}/, '');
  if (p === '/check-runs' || p === '/check-runs/{check_run_id}') {
    if (b?.status === 'completed' && !b.conclusion) say('a completed check run needs a conclusion');
    if (b?.conclusion === 'stale') say('only GitHub can set conclusion stale');
  }
  if (p === '/git/refs' && !/^refs\/.+\/./.test(b?.ref ?? '')) say(`ref ${b?.ref} must start with refs/ and have two slashes`);
  if (p.startsWith('/contents') && op.method === 'put' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(b?.content ?? '')) say('content is not base64');
  if (p.endsWith('{archive_format}') && !/\/zip$/.test(new URL(x.url, 'http://e').pathname)) say('archive_format must be zip');
  if (op.method === 'post' && p === '/pulls' && !b?.title && !b?.issue) say('a pull request needs a title or an issue');
}
module.exports = { load, judge };
if (require.main === module) (async () => {
  const args = process.argv.slice(2), warn = args.includes('--warnings');
  judge.house = args.includes('--house');
  const [spec, ...logs] = args.filter(a => !a.startsWith('--'));
  const ops = await load(spec), seen = new Map();
  let n = 0, errors = 0, warnings = 0;
  for (const f of logs) for (const line of fs.readFileSync(f, 'utf8').split('\n')) {
    if (!line.trim()) continue;
    const x = JSON.parse(line); n++;
    const v = judge(ops, x);
    if (v.operation) seen.set(v.operation, (seen.get(v.operation) ?? 0) + 1);
    for (const d of v) {
      d.severity === 'Error' ? errors++ : warnings++;
      if (d.severity === 'Error' || warn) console.log(`${d.severity}: ${x.test ? x.test + ': ' : ''}${x.method} ${x.url} ${x.status}: ${d.where}: ${d.message}`);
    }
  }
  const never = ops.filter(o => !/_\d\}$/.test(o.path)).map(o => `${o.method} ${o.path}`).filter(o => !seen.has(o));
  console.log(`${n} exchanges, ${seen.size} operations, ${errors} errors, ${warnings} warnings; never called: ${never.length}`);
  if (args.includes('--never')) console.log(never.join('\n'));
  process.exit(errors ? 1 : n ? 0 : 2);
})();
