'use strict';

const { apiUrl } = require('./authentication');

const TOOL = 'zapier'; // what the hub calls us

const get = async (z, bundle, path, params = {}) => (await z.request({ url: apiUrl(bundle, path), params })).data;

const post = async (z, bundle, path, body) =>
  (await z.request({ method: 'POST', url: apiUrl(bundle, path), params: { connector: TOOL }, body })).data;

// What the hub refuses for a reason is told in its own words, field by field.
const explain = (response, z) => {
  if (response.status === 422) {
    const { message, fields = {} } = response.json.error;
    const lines = Object.entries(fields).map(([name, words]) => `${name}: ${[words].flat().join(' ')}`);
    throw new z.errors.Error([message, ...lines].join(' '), 'invalid', 422);
  }
  return response;
};

// A box that is left empty says nothing, and must not overwrite what is known.
const filled = (inputData) =>
  Object.fromEntries(Object.entries(inputData).filter(([, value]) => value !== '' && value !== null && value !== undefined));

const field = (key, label, rest = {}) => ({ key, label, type: 'string', required: false, ...rest });

module.exports = { TOOL, explain, field, filled, get, post };
