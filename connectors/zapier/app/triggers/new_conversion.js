'use strict';

const { apiUrl } = require('../authentication');

const EVENT = 'conversion';
const SAMPLES = 3;

const chosenFilters = (inputData) => {
  const filters = {};
  for (const name of ['stages', 'offers', 'campaigns']) {
    if (inputData[name] && inputData[name].length) {
      filters[name] = inputData[name];
    }
  }
  return filters;
};

const performSubscribe = async (z, bundle) => {
  const response = await z.request({
    method: 'POST',
    url: apiUrl(bundle, '/hooks'),
    body: { target_url: bundle.targetUrl, event: EVENT, filters: chosenFilters(bundle.inputData) },
  });
  return response.data;
};

const performUnsubscribe = async (z, bundle) => {
  const id = encodeURIComponent(bundle.subscribeData.id);
  await z.request({ method: 'DELETE', url: apiUrl(bundle, `/hooks/${id}`) });
  return {};
};

const perform = (z, bundle) => [bundle.cleanedRequest].flat();

const performList = async (z, bundle) => {
  const response = await z.request({ url: apiUrl(bundle, `/samples/${EVENT}`), params: { limit: SAMPLES } });
  return response.data;
};

const listFields = async (z, bundle) => (await z.request({ url: apiUrl(bundle, `/fields/${EVENT}`) })).data;

const filterField = (key, label, helpText) => ({
  key,
  label,
  helpText,
  type: 'string',
  list: true,
  required: false,
  dynamic: `${key}.id.name`, // the hidden trigger of that name, see options.js
});

const sample = {
  id: '01J8Z0000000000000000000AB_purchase',
  kind: 'conversion',
  stage: 'purchase',
  occurred_at: '2026-11-21T12:00:00Z',
  order_id: '1001',
  value: 49.99,
  value_formatted: '49.99 EUR',
  currency: 'EUR',
};

module.exports = {
  key: 'new_conversion',
  noun: 'Conversion',
  display: {
    label: 'New Conversion',
    description: 'Triggers when the hub records a purchase, a lead, a refund or another stage that you choose.',
  },
  operation: {
    type: 'hook',
    performSubscribe,
    performUnsubscribe,
    perform,
    performList,
    inputFields: [
      filterField('stages', 'Stages', 'Only these stages, refunds or renewals. Leave empty for all.'),
      filterField('offers', 'Offers', 'Only these offers. Leave empty for all.'),
      filterField('campaigns', 'Campaigns', 'Only these campaigns. Leave empty for all.'),
    ],
    sample,
    outputFields: [listFields],
  },
};
