"""The health of the whole service as one list: configuration, logins, engines, schema, lag, workers, clock, disk."""

from config.doctor.diagnosis import Check, Diagnosis, Examined, Light, worst
from config.doctor.rounds import examine_service

__all__ = ["Check", "Diagnosis", "Examined", "Light", "examine_service", "worst"]
