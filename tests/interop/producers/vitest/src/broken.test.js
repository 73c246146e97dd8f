import { test } from 'vitest';
import './no-such-module.js';

test('never collected', () => {});
