"""Builds the container images of a checkout, for `make images` and for the tests of images and clusters.

archives    images of this checkout, as tags in the builder's storage or as archives in the cache
base        a base image from the machine's Debian mirror
builders    Docker and buildah behind one face
packages    programs from Debian's packages
"""
