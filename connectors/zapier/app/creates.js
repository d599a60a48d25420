'use strict';

const { field, filled, post } = require('./lib');

const PERSON = [
  field('phone', 'Phone'),
  field('first_name', 'First Name'),
  field('last_name', 'Last Name'),
  field('external_id', 'Customer ID', { helpText: 'Your own id of the person.' }),
  field('city', 'City'),
  field('region', 'State or Region'),
  field('postal_code', 'Postal Code'),
  field('country', 'Country'),
  field('consent_email', 'Agreed to E-mail', { type: 'boolean', helpText: 'Leave empty if nothing was said.' }),
  field('consent_ads', 'Agreed to Ads', { type: 'boolean', helpText: 'Leave empty if nothing was said.' }),
];

const SALE = [
  field('stage', 'Stage', { required: true, dynamic: 'stages.id.name', helpText: 'What happened.' }),
  field('email', 'E-mail', { helpText: 'The e-mail, the order ID or the customer ID must be there.' }),
  field('order_id', 'Order ID', { helpText: 'A refund names the order that it belongs to.' }),
  field('value', 'Amount', { helpText: 'Such as 49.99. Of a refund: what goes back, as a positive number.' }),
  field('currency', 'Currency', { helpText: 'Three letters, such as EUR.' }),
  field('occurred_at', 'Time', { type: 'datetime', helpText: 'Leave empty for now.' }),
  field('event_id', 'Event ID', { helpText: 'The id of the row or answer it comes from: a Zap that runs twice counts once.' }),
  field('product_id', 'Product ID'),
  field('product_name', 'Product Name'),
  field('coupon', 'Coupon'),
  field('offer', 'Offer'),
  field('campaign_ids', 'Campaigns', { list: true, dynamic: 'campaigns.id.name' }),
  field('tags', 'Tags', { list: true }),
  field('subscription_id', 'Subscription ID'),
  field('money_id', 'Refund ID', { helpText: 'Of a refund or dispute: its own id.' }),
  field('reason', 'Reason'),
  field('test', 'Test', { type: 'boolean', helpText: 'Shown, but not counted.' }),
];

const EXTRA = field('extra', 'Other Fields', { dict: true, helpText: 'Click ids, UTM values (utm_source), or fields of your own.' });

const sample = {
  id: '01J8Z0000000000000000000AC',
  event_id: 'row-118',
  kind: 'conversion',
  stage: 'purchase',
  order_id: '1001',
  value: '49.99',
  currency: 'EUR',
  email: 'anna.martin@example.com',
  occurred_at: '2026-11-21T12:00:00Z',
};

const create = (key, noun, label, description, path, inputFields) => ({
  key,
  noun,
  display: { label, description },
  operation: {
    perform: (z, bundle) => {
      const { extra = {}, ...told } = bundle.inputData;
      return post(z, bundle, path, filled({ ...extra, ...told }));
    },
    inputFields,
    sample,
    outputFields: Object.keys(sample).map((name) => ({ key: name })),
  },
});

const creates = [
  create(
    'record_conversion', 'Conversion', 'Record Conversion',
    'Records a purchase, a lead, a refund or another stage in the hub.',
    '/conversions', [...SALE, ...PERSON, EXTRA],
  ),
  create(
    'create_or_update_contact', 'Contact', 'Create or Update Contact',
    'Makes a contact, or adds to what the hub knows of the one with this e-mail.',
    '/contacts', [field('email', 'E-mail', { required: true }), ...PERSON],
  ),
  create(
    'add_tag', 'Tag', 'Add Tag',
    'Puts a tag on a contact: it then counts for every campaign that carries the tag.',
    '/contacts/tags', [field('email', 'E-mail', { required: true }), field('tag', 'Tag', { required: true })],
  ),
];

module.exports = Object.fromEntries(creates.map((one) => [one.key, one]));
