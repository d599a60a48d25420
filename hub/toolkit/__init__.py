"""The toolkit: what helps to write a connector. A connector can also do without it, with ``hub.contract`` alone.

Docs: ``docs/connectors.md``. Import each tool from its own module, such as ``hub.toolkit.signing``:

- a message: paths, cleaning, amounts, dates, csv_tables, query_strings, field_picker, field_values, flat_form, visits
- a sale: conversion_facts, event_meanings, tracking
- a proof: signing, hmac_source, unsigned_source, certificates, certified_headers
- a person: people, countries
- a kind of tool: ads, automation, chat, crm, email_tools, mail
- the rest: standard_fields (fields of a destination), paging (reading back), bundled_files (words beside the code)
"""
