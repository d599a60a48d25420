'use strict';

// What a Zap tells the hub, and what it finds there.
// KNOWN_EMAIL and KNOWN_ORDER (optional) name a contact and an order that the hub knows.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { App, bundleWith, call } = require('./hub');

const { KNOWN_EMAIL, KNOWN_ORDER } = process.env;
const perform = (kind, key, inputData) => call(App[kind][key].operation.perform, bundleWith({ inputData }));

test('a conversion is recorded as it is understood', async () => {
  const said = await perform('creates', 'record_conversion', {
    stage: 'purchase', email: 'Nora@example.com', order_id: '#Z-118', value: '149,00 €', currency: 'EUR',
    event_id: 'row-118', campaign_ids: ['12'], tags: ['vip', 'spring'], consent_email: true, phone: '',
    extra: { utm_source: 'fair', cohort: '2026-11' },
  });
  assert.ok(said.id);
  assert.equal(said.order_id, 'Z-118');
  assert.equal(said.value, '149.00');
  assert.equal(said.email, 'nora@example.com');
});

test('the same conversion again is kept once', async () => {
  const sale = { stage: 'lead', email: 'ben@example.com', event_id: 'row-119' };
  const [first, second] = [await perform('creates', 'record_conversion', sale), await perform('creates', 'record_conversion', sale)];
  assert.equal(first.id, second.id);
});

test('what cannot be used is told in words', async () => {
  await assert.rejects(perform('creates', 'record_conversion', { stage: 'purchase', value: '5' }), (error) => {
    assert.match(error.message, /e-mail/);
    return true;
  });
});

test('a contact is created or updated', async () => {
  const said = await perform('creates', 'create_or_update_contact', {
    email: 'nora@example.com', first_name: 'Nora', consent_ads: false,
  });
  assert.equal(said.kind, 'contact');
  assert.equal(said.email, 'nora@example.com');
});

test('a tag is added', async () => {
  const said = await perform('creates', 'add_tag', { email: 'nora@example.com', tag: 'vip' });
  assert.equal(said.kind, 'contact');
});

for (const { key, operation } of Object.values(App.creates)) {
  test(`${key}: the sample has every field that is described`, () => {
    assert.deepEqual(operation.outputFields.map((field) => field.key), Object.keys(operation.sample));
  });
}

test('a contact is found by e-mail, in any case', { skip: !KNOWN_EMAIL }, async () => {
  const [found, ...others] = await perform('searches', 'find_contact', { email: KNOWN_EMAIL.toUpperCase() });
  assert.equal(others.length, 0);
  assert.equal(found.email, KNOWN_EMAIL);
  assert.ok(found.id);
});

test('a conversion is found by its order id', { skip: !KNOWN_ORDER }, async () => {
  const found = await perform('searches', 'find_conversion', { order_id: KNOWN_ORDER, stage: 'purchase' });
  assert.equal(found.length, 1);
  assert.equal(found[0].order_id, KNOWN_ORDER);
  assert.equal(found[0].stage, 'purchase');
  assert.ok(found[0].id);
});

test('what is not there is an empty list', async () => {
  assert.deepEqual(await perform('searches', 'find_contact', { email: 'nobody@example.net' }), []);
  assert.deepEqual(await perform('searches', 'find_conversion', { order_id: 'no-such-order' }), []);
});
