'use strict';

// The definition, the account, and what starts a Zap.
// TARGET_URL (optional) is the address to subscribe; PUSHED_BODY (optional) the JSON that the hub posted there.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');
const { validateAppDefinition } = require('zapier-platform-schema');

const { App, HUB_URL, HUB_API_KEY, bundleWith, call } = require('./hub');

const { PUSHED_BODY, TARGET_URL = 'https://hooks.zapier.com/hooks/standard/1/conversion-hub-test/' } = process.env;
const hooks = Object.values(App.triggers).filter(({ operation }) => operation.type === 'hook');
const trigger = App.triggers.new_conversion.operation;
const subscribed = [];

after(async () => {
  for (const subscribeData of subscribed) {
    await call(trigger.performUnsubscribe, bundleWith({ subscribeData, targetUrl: TARGET_URL }));
  }
});

const subscribe = async (inputData, { performSubscribe } = trigger) => {
  const answer = await call(performSubscribe, bundleWith({ inputData, targetUrl: TARGET_URL }));
  subscribed.push(answer);
  return answer;
};

test('the definition is valid', () => {
  const withoutFunctions = JSON.parse(
    JSON.stringify(App, (key, value) => (typeof value === 'function' ? `$func$${value.length}$f$` : value)),
  );
  assert.deepEqual(validateAppDefinition(withoutFunctions).errors, []);
});

test('a good key names the account', async () => {
  const me = await call(App.authentication.test, bundleWith());
  assert.ok(me.id);
  assert.ok(me.name);
});

test('a closing slash in the address does no harm', async () => {
  const me = await call(App.authentication.test, { authData: { hubUrl: `${HUB_URL}/`, apiKey: HUB_API_KEY } });
  assert.ok(me.id);
});

test('a bad key is refused with 401, so that Zapier asks to reconnect', async () => {
  const authData = { hubUrl: HUB_URL, apiKey: 'not-a-key' };
  await assert.rejects(call(App.authentication.test, { authData }), (error) => {
    assert.equal(error.name, 'ResponseError');
    assert.equal(JSON.parse(error.message).status, 401);
    return true;
  });
});

test('a Zap may ask for some stages only', async () => {
  const [stage] = await call(App.triggers.stages.operation.perform, bundleWith());
  const { id } = await subscribe({ stages: [stage.id] });
  assert.ok(id);
});

test('switching a Zap off twice is harmless', async () => {
  const answer = await subscribe({});
  const bundle = bundleWith({ subscribeData: answer, targetUrl: TARGET_URL });
  await call(trigger.performUnsubscribe, bundle);
  await call(trigger.performUnsubscribe, bundle);
  subscribed.pop();
});

for (const { key, operation } of hooks) {
  test(`${key}: switching a Zap on subscribes, with an id for switching it off`, async () => {
    const { id } = await subscribe({}, operation);
    assert.ok(id);
  });

  test(`${key}: samples are a list of at most three with the id that Zapier needs`, async () => {
    const samples = await call(operation.performList, bundleWith());
    assert.ok(samples.length >= 1 && samples.length <= 3);
    for (const sample of samples) {
      assert.ok(sample.id);
    }
  });

  test(`${key}: every field of a sample is described`, async () => {
    const [listFields] = operation.outputFields;
    const fields = await call(listFields, bundleWith());
    const described = new Set(fields.map((field) => field.key.split(/\[\]|__/)[0]));
    const samples = [operation.sample, ...(await call(operation.performList, bundleWith()))];
    assert.deepEqual(samples.flatMap(Object.keys).filter((name) => !described.has(name)), []);
  });
}

test('a pushed conversion starts the Zap once', async () => {
  const pushed = PUSHED_BODY ? JSON.parse(PUSHED_BODY) : (await call(trigger.performList, bundleWith()))[0];
  const results = await call(trigger.perform, bundleWith({ cleanedRequest: pushed }));
  assert.deepEqual(results, [pushed]);
});

test('several conversions pushed together start the Zap once each', async () => {
  const pushed = [{ id: 'one' }, { id: 'two' }];
  const results = await call(trigger.perform, bundleWith({ cleanedRequest: pushed }));
  assert.deepEqual(results, pushed);
});

for (const list of ['stages', 'offers', 'campaigns']) {
  test(`the drop-down of ${list} has ids and names`, async () => {
    const options = await call(App.triggers[list].operation.perform, bundleWith());
    assert.ok(Array.isArray(options));
    for (const { id, name } of options) {
      assert.ok(id && name);
    }
  });
}

test('the drop-down of stages offers a purchase and a refund', async () => {
  const options = await call(App.triggers.stages.operation.perform, bundleWith());
  const ids = options.map(({ id }) => id);
  assert.ok(ids.includes('purchase') && ids.includes('refund'));
});
