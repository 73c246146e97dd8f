// Looks at pages as people do: pack.mjs FOLDER CHROMIUM [SHOTS].
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { JSDOM } from 'jsdom';
import puppeteer from 'puppeteer-core';
import { HtmlValidate } from 'html-validate';

const [, , folder, chromium, shots] = process.argv;
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pages = path.join(folder, 'pages');
let bad = 0;
const fail = (words) => { bad += 1; console.error(`FAILED: ${words}`); };

// Every link of a page leads somewhere in it, or to the web.
for (const name of fs.readdirSync(pages).filter((name) => name.endsWith('.html'))) {
  const text = fs.readFileSync(path.join(pages, name), 'utf8');
  const { document } = new JSDOM(text).window;
  let links = 0;
  for (const link of document.querySelectorAll('a[href]')) {
    const target = link.getAttribute('href');
    links += 1;
    const [file, anchor] = target.split('#');
    if (/^https:\/\/github\.com\//.test(target)) continue;
    // A page beside this one is there, and so is what is meant in it.
    if (file && !/^[\w.-]+\.html$/.test(file)) { fail(`${name}: ${target}`); continue; }
    const there = file ? path.join(pages, file) : path.join(pages, name);
    if (!fs.existsSync(there)) { fail(`${name}: ${target} is no file`); continue; }
    const meant = file ? new JSDOM(fs.readFileSync(there, 'utf8')).window.document : document;
    if (anchor && !meant.getElementById(anchor)) fail(`${name}: ${target}`);
  }
  const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => Number(heading.tagName[1]));
  if (levels[0] !== 1 || levels.some((level, at) => at > 0 && level > levels[at - 1] + 1)) fail(`${name}: headings ${levels}`);
  if (document.querySelector('script')) fail(`${name}: a script`);
  if (document.documentElement.lang !== 'en') fail(`${name}: no language`);
  console.log(`${name}: ${links} links lead somewhere, ${levels.length} headings in order`);
  const report = await new HtmlValidate({ extends: ['html-validate:standard'], rules: { 'no-inline-style': 'off', 'long-title': 'off', 'prefer-native-element': 'off', 'tel-non-breaking': 'off', 'no-redundant-role': 'off', 'doctype-style': 'off' } }).validateString(text);
  for (const message of report.results.flatMap((result) => result.messages)) fail(`${name}:${message.line}: ${message.ruleId}: ${message.message}`);
}

const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'], headless: true });
for (const name of fs.readdirSync(pages).filter((name) => name.endsWith('.html'))) {
  for (const [width, height] of [[390, 844], [1280, 900]]) {
    for (const scheme of ['light', 'dark']) {
      const page = await browser.newPage();
      const words = [];
      page.on('console', (message) => words.push(message.text()));
      page.on('pageerror', (error) => words.push(String(error)));
      page.on('requestfailed', (request) => words.push(request.url()));
      await page.setBypassCSP(true);
      await page.setViewport({ width, height });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.goto(`file://${path.join(pages, name)}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > width) fail(`${name} at ${width}: ${wide} pixels wide`);
      const small = await page.evaluate(() => [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.wide') && !one.closest('svg')).map((one) => one.outerHTML.slice(0, 120)));
      if (small.length) fail(`${name} at ${width}: beyond the edge: ${small[0]}`);
      if (shots) await page.screenshot({ path: path.join(shots, `pack-${name.replace('.html', '')}-${width}-${scheme}.png`) });
      await page.evaluate(axe);
      await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
      const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      for (const one of found.violations) fail(`${name} at ${width} ${scheme}: axe ${one.id}: ${one.nodes.length} times: ${one.nodes[0].html.slice(0, 160)}`);
      if (words.length) fail(`${name}: the console says ${words[0]}`);
      console.log(`${name} at ${width}, ${scheme}: ${found.passes.length} rules of axe pass, ${found.violations.length} do not`);
      await page.close();
    }
  }
}
await browser.close();

// Every mermaid block of the Markdown is one for the real parser, and every anchor is a heading.
const dom = new JSDOM('<body></body>');
global.window = dom.window;
global.document = dom.window.document;
const mermaid = (await import('mermaid')).default;
for (const name of fs.readdirSync(pages).filter((name) => name.endsWith('.md'))) {
  const text = fs.readFileSync(path.join(pages, name), 'utf8');
  const blocks = [...text.matchAll(/```mermaid\n([\s\S]*?)```/g)].map((found) => found[1]);
  for (const block of blocks) {
    const parsed = await mermaid.parse(block).catch((error) => fail(`${name}: ${error}\n${block}`));
    if (parsed && parsed.diagramType !== 'xychart') fail(`${name}: ${parsed.diagramType}`);
  }
  const slugs = new Set([...text.matchAll(/^#+ (.*)$/gm)].map((found) => found[1].toLowerCase().replace(/[^\p{L}\p{N} -]/gu, '').replace(/ /g, '-')));
  for (const [, file] of text.matchAll(/\]\(([\w.-]+\.md)(?:#[^)]*)?\)/g)) if (!fs.existsSync(path.join(pages, file))) fail(`${name}: ${file} is no file`);
  for (const [, target] of text.matchAll(/\]\(#([^)]*)\)/g)) if (!slugs.has(target)) fail(`${name}: #${target} is no heading`);
  console.log(`${name}: ${blocks.length} mermaid blocks parse, ${text.length.toLocaleString('en')} characters`);
  if (name === 'demo.md' && !blocks.length) fail('no mermaid block');
}
process.exit(bad ? 1 : 0);
