// node templates.mjs [API.json GHES.json OUT.json]: the smallest object of each response type that satisfies GitHub's own
// OpenAPI for api.github.com AND for GHES: required properties only, null where nullable (people excepted), empty arrays.
import fs from 'fs';
const [, , A = 'spec/api.json', B = 'spec/ghes.json', OUT = 'templates.json'] = process.argv;
const specs = [A, B].map(f => JSON.parse(fs.readFileSync(f, 'utf8')));
const URL_ = 'https://example.invalid/', DATE = '2026-01-05T09:00:00Z', SHA = '1'.repeat(40);
// nullable, but GitHub all but always fills them, and clients read them
const PEOPLE = new Set(['user', 'actor', 'creator', 'author', 'committer', 'triggering_actor', 'owner', 'uploader', 'account', 'repo', 'app']);
const VALUES = {
  login: 'octocat', name: 'name', title: 'title', message: 'message', sha: SHA, node_id: 'N_1', ref: 'refs/heads/main',
  avatar_url: URL_, full_name: 'octo/repo', default_branch: 'main', head_branch: 'main', head_sha: SHA, commit_id: SHA,
  number: 1, body: '', color: 'ededed', slug: 'slug', label: 'octo:main', tag_name: 'v1', target_commitish: 'main', path: 'file',
  filename: 'file', mode: '100644', email: 'octocat@example.invalid', documentation_url: URL_, run_attempt: 1, limit: 5000, remaining: 5000,
  gravatar_id: '', workflow_name: 'CI', event: 'push', encoding: 'base64', content: '', token: 'ghs_x', url: URL_, href: URL_,
  visibility: 'public', environment: 'production', task: 'deploy', permission: 'push', type: 'file', author_association: 'NONE',
  reason: 'unsigned', status: 'completed', key: 'mit', external_id: '', target_url: URL_, description: '', context: 'ci',
};
let notes = [];
const res = (spec, s) => { while (s?.$ref) s = s.$ref.slice(2).split('/').reduce((o, k) => o[k.replace(/~1/g, '/')], spec); return s; };
// flatten allOf; leave oneOf/anyOf to gen()
function flat(spec, s) {
  s = res(spec, s);
  if (!s.allOf) return s;
  const o = { ...s, properties: { ...s.properties }, required: [...(s.required ?? [])] };
  delete o.allOf;
  for (let p of s.allOf) {
    p = flat(spec, p);
    Object.assign(o.properties, p.properties); o.required.push(...(p.required ?? []));
    o.type ??= p.type; o.enum ??= p.enum; o.nullable ??= p.nullable; o.format ??= p.format; o.oneOf ??= p.oneOf; o.anyOf ??= p.anyOf;
  }
  return o;
}
const isNullBranch = b => Array.isArray(b.enum) && b.enum.length === 1 && b.enum[0] === null;
// pair: [[spec, schema], ...] one per spec that has it
function gen(pair, key, path) {
  let ss = pair.map(([spec, s]) => [spec, flat(spec, s)]);
  const alt = s => s.oneOf ?? s.anyOf;
  const nullable = ss.every(([, s]) => s.nullable || alt(s)?.some(isNullBranch) || s.enum?.includes(null));
  if (nullable && !PEOPLE.has(key) && path !== key) return null;
  // alternatives: take the first real branch (the same in both specs), unless the schema also has properties of its own
  ss = ss.map(([spec, s]) => alt(s) && !s.properties ? [spec, flat(spec, alt(s).filter(b => !isNullBranch(b))[0])] : [spec, s]);
  const type = [ss.map(([, s]) => s.type ?? (s.properties ? 'object' : undefined)).find(Boolean)].flat()[0];
  const en = ss.map(([, s]) => s.enum).filter(Boolean);
  if (en.length) {
    const common = en.reduce((a, b) => a.filter(x => b.includes(x))).filter(x => x !== null);
    if (en.length > 1 && JSON.stringify(en[0]) !== JSON.stringify(en[1])) notes.push(`${path}: enum differs: ${JSON.stringify(en)}`);
    return common.includes(VALUES[key]) ? VALUES[key] : common[0];
  }
  if (type === 'object' || ss.some(([, s]) => s.properties)) {
    const out = {}, req = ss.map(([, s]) => new Set(s.required ?? []));
    const all = new Set(req.flatMap(r => [...r]));
    // the order of the first spec's properties, to read like GitHub's
    const order = [...new Set(ss.flatMap(([, s]) => Object.keys(s.properties ?? {})))];
    for (const k of [...order.filter(k => all.has(k)), ...[...all].filter(k => !order.includes(k))]) {
      const sub = ss.filter(([, s]) => s.properties?.[k]).map(([spec, s]) => [spec, s.properties[k]]);
      out[k] = sub.length ? gen(sub, k, `${path}.${k}`) : 'x';
    }
    if ('site_admin' in out) out.type = 'User';
    return out;
  }
  if (type === 'array') { const min = Math.max(...ss.map(([, s]) => s.minItems ?? 0)); return Array.from({ length: min }, () => gen(ss.map(([spec, s]) => [spec, s.items]), key, path + '[]')); }
  if (type === 'boolean') return false;
  if (type === 'integer' || type === 'number') {
    if (key in VALUES && typeof VALUES[key] === 'number') return VALUES[key];
    return /(^|_)id$/.test(key) ? 1 : 0;
  }
  if (type === 'string') {
    const f = ss.map(([, s]) => s.format).find(Boolean);
    if (f === 'date-time') return DATE;
    if (f === 'uri') return URL_;
    if (f === 'date') return DATE.slice(0, 10);
    if (f === 'email') return VALUES.email;
    if (typeof VALUES[key] === 'string') return VALUES[key];
    if (/_at$/.test(key)) return DATE;
    if (/_url$/.test(key)) return URL_;
    const min = Math.max(...ss.map(([, s]) => s.minLength ?? 0));
    return 'x'.repeat(Math.max(1, min));
  }
  return null; // no type: anything goes
}
const comp = name => { const p = specs.filter(s => s.components.schemas[name]).map(s => [s, { $ref: `#/components/schemas/${name}` }]); if (!p.length) throw Error('no schema ' + name); if (p.length === 1) notes.push(`${name}: only in one spec`); return p; };
// a path such as 'GET /search/issues 200 items[]'
const of = (name, extra) => ({ ...gen(comp(name), name, name), ...extra });
const event = (schema, name, extra = {}) => ({ ...of(schema), event: name, ...extra });
const state = (name, extra) => event('state-change-issue-event', name, extra);
const who = { name: 'name', email: VALUES.email, date: DATE };
const TIMES = { created_at: DATE, updated_at: DATE };
const pr = (name) => {
  const o = of(name, { state: 'open', draft: false });
  for (const [k, ref] of [['head', 'feature'], ['base', 'main']]) Object.assign(o[k], { ref, label: `octo:${ref}` });
  if ('mergeable_state' in o) o.mergeable_state = 'unknown';
  return o;
};
const commit = of('commit');
for (const k of ['author', 'committer']) commit.commit[k] = who;
// Third argument on: what the schema leaves free or optional, but GitHub always sends and a client reads.
const T = {
  'simple-user': of('simple-user'), 'team-simple': of('team-simple'), 'milestone': of('nullable-milestone'),
  'repository': of('full-repository', { visibility: 'public' }), 'minimal-repository': of('minimal-repository'), 'nested-repository': of('repository'),
  'pull-request': pr('pull-request'), 'pull-request-simple': pr('pull-request-simple'),
  'diff-entry': of('diff-entry', { sha: SHA, patch: '' }),
  'commit': commit,
  'pull-request-review': of('pull-request-review', { state: 'APPROVED', commit_id: SHA, submitted_at: DATE }),
  'timeline-committed': event('timeline-committed-event', 'committed'),
  'timeline-reviewed': event('timeline-reviewed-event', 'reviewed', { state: 'approved', submitted_at: DATE }),
  'timeline-commented': event('timeline-comment-event', 'commented', { body: '' }),
  'timeline-merged': state('merged', { commit_id: SHA, commit_url: URL_ }),
  'timeline-head_ref_force_pushed': state('head_ref_force_pushed', { commit_id: SHA, commit_url: URL_ }),
  'timeline-ready_for_review': state('ready_for_review'),
  'timeline-convert_to_draft': state('convert_to_draft'),
  'timeline-review_requested': event('review-requested-issue-event', 'review_requested', { requested_reviewer: of('simple-user') }),
  'timeline-closed': state('closed', { state_reason: null }),
  'issue': of('issue', { state: 'open', state_reason: null, body: null }), 'issue-comment': of('issue-comment', { body: '' }), 'label': of('label'),
  'workflow-run': of('workflow-run', {
    name: 'CI', head_branch: 'main', conclusion: 'success', run_number: 1, run_attempt: 1, run_started_at: DATE, pull_requests: [],
    path: '.github/workflows/ci.yml', display_title: 'title', actor: of('simple-user'), triggering_actor: of('simple-user'),
  }),
  'job': of('job', {
    conclusion: 'success', completed_at: DATE, run_attempt: 1, workflow_name: 'CI', head_branch: 'main', html_url: URL_,
    steps: [{ name: 'step', status: 'completed', conclusion: 'success', number: 1, started_at: DATE, completed_at: DATE }],
  }),
  'artifact': of('artifact', { ...TIMES, expires_at: '2026-04-05T09:00:00Z', digest: null, workflow_run: { id: 1, repository_id: 1, head_repository_id: 1, head_branch: 'main', head_sha: SHA } }),
  'deployment': of('deployment', { ref: 'main', original_environment: 'production' }),
  'deployment-status': of('deployment-status', { state: 'success', environment: 'production' }),
  'release': of('release', { published_at: DATE, body: null }), 'tag': of('tag'),
  'check-run': of('check-run', { conclusion: 'success', started_at: DATE, completed_at: DATE, html_url: URL_, app: null }),
  'combined-status': of('combined-commit-status', { state: 'success' }),
  'compare': of('commit-comparison', { status: 'identical', base_commit: commit, merge_base_commit: commit, files: [] }),
  'content-file': of('content-file'),
  'file-commit': of('file-commit', {
    content: { ...of('content-file'), content: undefined, encoding: undefined, git_url: URL_, html_url: URL_, download_url: URL_, _links: { self: URL_, git: URL_, html: URL_ } },
    commit: { sha: SHA, node_id: 'N_1', url: URL_, html_url: URL_, author: who, committer: who, message: 'message', tree: { url: URL_, sha: SHA }, parents: [] },
  }),
  'git-ref': of('git-ref', { object: { type: 'commit', sha: SHA, url: URL_ } }), 'blob': of('blob', { size: 0 }), 'short-blob': of('short-blob'),
  'git-tree': of('git-tree', { url: URL_ }), 'git-tree-entry': { path: 'file', mode: '100644', type: 'blob', sha: SHA, size: 0, url: URL_ },
  'git-commit': of('git-commit'),
  'rate-limit-overview': of('rate-limit-overview'),
  'public-user': of('public-user', { type: 'User', user_view_type: 'public' }), 'private-user': of('private-user', { type: 'User', user_view_type: 'private' }),
  'integration': of('integration', { slug: 'app' }), 'installation': of('installation', { target_type: 'Organization', app_slug: 'app' }),
  'installation-token': of('installation-token', { permissions: {}, repository_selection: 'selected' }),
  'team-membership': of('team-membership', { state: 'active' }),
  'issue-search-item': of('issue-search-result-item', { state: 'open', body: '', score: 1 }),
  'issue-search': { total_count: 0, incomplete_results: false, items: [], search_type: 'lexical' },
  'api-overview': of('api-overview'),
  'actions-permissions': of('actions-repository-permissions', { allowed_actions: 'all' }),
  'organization-actions-permissions': of('actions-organization-permissions', { allowed_actions: 'all' }),
  'workflow-permissions': of('actions-get-default-workflow-permissions'),
  'fork-approval': of('actions-fork-pr-contributor-approval'),
  'branch': of('branch-with-protection'),
  'rules': [], 'environments': { total_count: 0, environments: [] },
  'basic-error': of('basic-error', { message: 'Not Found', documentation_url: URL_, status: '404' }),
  'validation-error': of('validation-error', { message: 'Validation Failed', documentation_url: URL_, errors: [] }),
};
fs.writeFileSync(OUT, JSON.stringify(T, null, 1) + '\n');
console.log(Object.keys(T).length, 'templates', fs.statSync(OUT).size, 'bytes; compact', JSON.stringify(T).length);
console.log([...new Set(notes)].join('\n'));
