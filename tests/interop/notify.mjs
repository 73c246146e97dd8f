// Microsoft's own parser reads the cards, and the reference library of Standard Webhooks checks signatures: notify.mjs FOLDER
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { Webhook } from "standardwebhooks";

// Its modules are for bundlers; the one file that browsers load needs a window's name only.
globalThis.self = globalThis;
const cards = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");

const folder = process.argv[2];
let [read, checked] = [0, 0];
for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".json")) continue;
    const came = JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
    if (came.path === "/teams") {
        const message = JSON.parse(came.body);
        if (message.type !== "message" || Buffer.byteLength(came.body) > 28 * 1024) throw new Error(`${name}: no message for Teams`);
        for (const attachment of message.attachments) {
            if (attachment.contentType !== "application/vnd.microsoft.card.adaptive") throw new Error(name);
            const context = new cards.SerializationContext(cards.Version.parse(attachment.content.version, new cards.SerializationContext()));
            const card = new cards.AdaptiveCard();
            card.parse(attachment.content, context);
            const events = [];
            for (let at = 0; at < context.eventCount; at++) events.push(context.getEventAt(at));
            events.push(...card.validateProperties().validationEvents);
            if (events.length > 0) throw new Error(`${name}: ${events.map((event) => event.message).join("; ")}`);
            // What was read is written again as it was: no part was left out in silence.
            const again = JSON.stringify(sorted(card.toJSON()));
            const { msteams, ...sent } = attachment.content;
            const texts = (value) => [...JSON.stringify(value).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]);
            if (texts(JSON.parse(again)).join("\n") !== texts(sorted(sent)).join("\n")) throw new Error(`${name}: a text was lost`);
            read += texts(sent).length;
        }
    } else if (came.path === "/own") {
        const hook = new Webhook(came.secret);
        hook.verify(came.body, came.headers);
        for (const spoil of [(body) => body.replace("acme", "evil"), (body) => `${body} `]) {
            let refused = false;
            try {
                hook.verify(spoil(came.body), came.headers);
            } catch {
                refused = true;
            }
            if (!refused) throw new Error(`${name}: a changed body passes`);
        }
        checked += 1;
    }
}
if (read < 20 || checked < 5) throw new Error(`too little was looked at: ${read} texts, ${checked} signatures`);
console.log(`adaptivecards read ${read} texts of cards without a remark; standardwebhooks verified ${checked} signatures, and no changed one`);

function sorted(value) {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}
