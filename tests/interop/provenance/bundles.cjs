// @sigstore/verify accepts every bundle that we write, and none with a byte changed; neither do we.
const [modules, binary] = process.argv.slice(2);
const { createRequire } = require('module');
const { spawnSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const need = createRequire(path.join(modules, 'node_modules/x.js'));
const { bundleFromJSON, assertBundleLatest } = need('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = need('@sigstore/verify');

const root = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

function theirs(json, pem) {
  const publicKey = crypto.createPublicKey(pem);
  const trust = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  try {
    const bundle = bundleFromJSON(json);
    assertBundleLatest(bundle);
    new Verifier(trust, none).verify(toSignedEntity(bundle));
    return true;
  } catch (error) {
    if (['VerificationError', 'ValidationError', 'SyntaxError'].includes(error.constructor.name)) return false;
    throw error;
  }
}

const ours = (file, key) => spawnSync(binary, ['provenance', 'verify', file, '--key', key]).status;

let seed = 8;
const dice = (most) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * most);
};
const spoil = (text) => {
  const bytes = Buffer.from(text, 'base64');
  bytes[dice(bytes.length)] ^= 1 + dice(255);
  return bytes.toString('base64');
};

let accepted = 0;
let refused = 0;
for (const name of fs.readdirSync('signed')) {
  const key = `keys/${name}.pem.pub`;
  const pem = fs.readFileSync(key, 'utf8');
  const hint = crypto
    .createHash('sha256')
    .update(crypto.createPublicKey(pem).export({ type: 'spki', format: 'der' }))
    .digest('base64');
  for (const folder of fs.readdirSync(`signed/${name}`).filter((folder) => folder.endsWith('-bundle'))) {
    for (const file of fs.readdirSync(`signed/${name}/${folder}`)) {
      const whole = `signed/${name}/${folder}/${file}`;
      const text = fs.readFileSync(whole, 'utf8');
      const bundle = JSON.parse(text);
      if (bundle.verificationMaterial.publicKey.hint !== hint) throw new Error(`${whole}: another hint`);
      if (!theirs(bundle, pem)) throw new Error(`${whole} is refused by @sigstore/verify`);
      if (ours(whole, key) !== 0) throw new Error(`${whole} is refused by us`);
      accepted += 1;
      for (const change of [
        (envelope) => (envelope.payload = spoil(envelope.payload)),
        (envelope) => (envelope.signatures[0].sig = spoil(envelope.signatures[0].sig)),
        (envelope) => (envelope.payloadType += '~'),
      ]) {
        const other = JSON.parse(text);
        change(other.dsseEnvelope);
        fs.writeFileSync('spoilt.sigstore.json', JSON.stringify(other));
        if (theirs(other, pem)) throw new Error(`${whole}, changed, is accepted by @sigstore/verify`);
        if (ours('spoilt.sigstore.json', key) !== 14) throw new Error(`${whole}, changed, is accepted by us`);
        refused += 1;
      }
    }
  }
}
console.log(`@sigstore/verify: ${accepted} bundles accepted, ${refused} changed ones refused by both`);
if (accepted !== 4 * (8 + 8 + 2)) throw new Error('some bundles are missing');
