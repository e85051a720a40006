"""A hub and its clinics on one machine: control plane, store, gateway, operator, agents, model and data.

dataplan   which clinic gets which cases, and the hub's test set        objects   what is applied to the cluster
layout     where everything lies in the state folder                    runtime   the processes and their order
federation up, status, down: what the command line calls
"""
