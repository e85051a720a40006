package podgate

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const (
	opened = "add element inet podgate known { 10.1.2.3 }\n"
	closed = opened + "delete element inet podgate known { 10.1.2.3 }\n"
)

func TestTheGateFollowsAPodUntilItHasEndedAndNotBeyond(t *testing.T) {
	for _, one := range []struct {
		name  string
		phase corev1.PodPhase
		gone  bool
		want  string
	}{
		{"a pod that has an address is let through", corev1.PodPending, false, opened},
		{"one that runs stays so", corev1.PodRunning, false, opened},
		{"one that has ended is not", corev1.PodSucceeded, false, closed},
		{"nor one that has failed", corev1.PodFailed, false, closed},
		{"nor one that is deleted while it runs", corev1.PodRunning, true, closed},
		{"the deletion of one that had ended leaves its address to the next", corev1.PodSucceeded, true, ""},
		{"as does that of one that had failed", corev1.PodFailed, true, ""},
	} {
		t.Run(one.name, func(t *testing.T) {
			pod := &corev1.Pod{Status: corev1.PodStatus{PodIP: "10.1.2.3", Phase: one.phase}}
			if got := Change(pod, one.gone); got != one.want {
				t.Errorf("got %q, want %q", got, one.want)
			}
		})
	}
}
