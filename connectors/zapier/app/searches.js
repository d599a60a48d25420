'use strict';

const { field, get } = require('./lib');

const findContacts = async (z, bundle) => {
  const { items } = await get(z, bundle, '/contacts', { email: bundle.inputData.email, limit: 1 });
  return Promise.all(
    items.map(async ({ id }) => {
      const { data, identities, consents, ...contact } = await get(z, bundle, `/contacts/${id}`);
      const agreed = Object.fromEntries(Object.entries(consents).map(([name, granted]) => [`consent_${name}`, granted]));
      return { ...data, ...contact, ...agreed };
    }),
  );
};

const findConversions = async (z, bundle) => {
  const { order_id: order, stage } = bundle.inputData;
  const { items } = await get(z, bundle, '/conversions', { order, ...(stage ? { stage } : {}) });
  return items.map(({ data, order_id: ignored, ...conversion }) => ({
    ...data.contact,
    ...conversion,
    order_id: data.order_id || order,
    offer: data.offer,
    reason: data.reason,
  }));
};

const find_contact = {
  key: 'find_contact',
  noun: 'Contact',
  display: { label: 'Find Contact', description: 'Finds a contact by e-mail, with what it has spent and agreed to.' },
  operation: {
    perform: findContacts,
    inputFields: [field('email', 'E-mail', { required: true })],
    sample: { id: '01J8Z0000000000000000000AD', email: 'anna.martin@example.com', first_name: 'Anna' },
  },
};

const find_conversion = {
  key: 'find_conversion',
  noun: 'Conversion',
  display: { label: 'Find Conversion', description: 'Finds what the hub knows of an order.' },
  operation: {
    perform: findConversions,
    inputFields: [
      field('order_id', 'Order ID', { required: true, helpText: 'As its sender writes it.' }),
      field('stage', 'Stage', { helpText: 'Such as purchase. Leave empty for all.' }),
    ],
    sample: { id: '01J8Z0000000000000000000AE', kind: 'conversion', stage: 'purchase', order_id: '1001', value: '49.99' },
  },
};

module.exports = { find_contact, find_conversion };
