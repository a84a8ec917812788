"""The broadcaster over Amazon EventBridge."""

from crm_projections.adapters.eventbridge.broadcaster import EventBridgeBroadcaster

__all__ = ["EventBridgeBroadcaster"]
