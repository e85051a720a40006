// Package podgate says what the gate lets through: the nftables set `inet
// podgate known` of addresses that may send at all.
package podgate

import corev1 "k8s.io/api/core/v1"

// Change is what nftables is told of a pod that has an address. It is nothing
// for one that is gone after it had ended: its address was taken out then, and
// may be another pod's by now.
func Change(pod *corev1.Pod, gone bool) string {
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if gone && ended {
		return ""
	}
	element := "inet podgate known { " + pod.Status.PodIP + " }\n"
	// Adding what is there is fine; deleting what is not there is an error.
	script := "add element " + element
	if gone || ended {
		script += "delete element " + element
	}
	return script
}
