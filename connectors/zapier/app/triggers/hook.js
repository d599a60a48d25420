'use strict';

// A trigger that the hub calls by itself: one for each event of /api/v1/hooks.

const { apiUrl } = require('../authentication');
const { TOOL, field, get } = require('../lib');

const SAMPLES = 3;

const FILTERS = {
  stages: field('stages', 'Stages', { helpText: 'Only these stages, refunds or renewals. Leave empty for all.' }),
  offers: field('offers', 'Offers', { helpText: 'Only these offers. Leave empty for all.' }),
  campaigns: field('campaigns', 'Campaigns', { helpText: 'Only these campaigns. Leave empty for all.' }),
};

const chosen = (inputData) =>
  Object.fromEntries(Object.keys(FILTERS).filter((name) => inputData[name]?.length).map((name) => [name, inputData[name]]));

const hookTrigger = ({ key, noun, label, description, event, filters, sample }) => ({
  key,
  noun,
  display: { label, description },
  operation: {
    type: 'hook',
    performSubscribe: async (z, bundle) => {
      const body = { target_url: bundle.targetUrl, connector: TOOL, event, filters: chosen(bundle.inputData) };
      return (await z.request({ method: 'POST', url: apiUrl(bundle, '/hooks'), body })).data;
    },
    performUnsubscribe: async (z, bundle) => {
      const id = encodeURIComponent(bundle.subscribeData.id);
      await z.request({ method: 'DELETE', url: apiUrl(bundle, `/hooks/${id}`) });
      return {};
    },
    perform: (z, bundle) => [bundle.cleanedRequest].flat(),
    performList: (z, bundle) => get(z, bundle, `/samples/${event}`, { limit: SAMPLES }),
    // The drop-down is filled by the hidden trigger of that name, see options.js.
    inputFields: filters.map((name) => ({ ...FILTERS[name], list: true, dynamic: `${name}.id.name` })),
    sample: { occurred_at: '2026-11-21T12:00:00Z', currency: 'EUR', email: 'anna.martin@example.com', ...sample },
    outputFields: [(z, bundle) => get(z, bundle, `/fields/${event}`)],
  },
});

module.exports = { hookTrigger };
