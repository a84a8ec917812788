"""A simulated Salesforce org: records that live, the REST, Bulk 2.0 and OAuth calls we use, and change events."""
