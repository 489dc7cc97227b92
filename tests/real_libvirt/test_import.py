"""What libvirt writes of a guest that it has defined comes back whole."""

from __future__ import annotations
