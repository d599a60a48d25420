'use strict';

// Zapier fills a drop-down from a hidden trigger: one for each list of the hub.

const { apiUrl } = require('../authentication');

const listTrigger = (key, noun) => ({
  key,
  noun,
  display: {
    label: `List of ${noun}s`,
    description: `Fills the drop-down of ${key}.`,
    hidden: true,
  },
  operation: {
    perform: async (z, bundle) => (await z.request({ url: apiUrl(bundle, `/options/${key}`) })).data,
  },
});

module.exports = {
  stages: listTrigger('stages', 'Stage'),
  offers: listTrigger('offers', 'Offer'),
  campaigns: listTrigger('campaigns', 'Campaign'),
};
