"""The databases behind the gateway: one interface, and what runs behind it. Knows no API."""
