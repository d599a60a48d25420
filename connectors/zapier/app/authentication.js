'use strict';

// The address may be pasted with a closing slash.
const apiUrl = (bundle, path) => `${bundle.authData.hubUrl.trim().replace(/\/+$/, '')}/api/v1${path}`;

const test = async (z, bundle) => (await z.request({ url: apiUrl(bundle, '/me') })).data;

const addApiKey = (request, z, bundle) => {
  if (bundle.authData.apiKey) {
    request.headers.Authorization = `Bearer ${bundle.authData.apiKey}`;
  }
  return request;
};

const authentication = {
  type: 'custom',
  test,
  connectionLabel: '{{name}}',
  fields: [
    {
      key: 'hubUrl',
      label: 'Address of your hub',
      type: 'string',
      required: true,
      helpText: 'The address in your browser when the hub is open, such as `https://hub.example.com`.',
    },
    {
      key: 'apiKey',
      label: 'API key',
      type: 'password',
      required: true,
      helpText: 'In the hub: Settings, then API keys, then New key. It is shown once.',
    },
  ],
};

module.exports = { authentication, addApiKey, apiUrl };
